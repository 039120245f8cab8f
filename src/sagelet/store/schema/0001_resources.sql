-- Resources by name, tags by ARN, and the key that seals pagination tokens.
--
-- A name is unique whatever its case, as at AWS, where the ARN holds it in lower case. Times are
-- microseconds since the epoch. `value` is the typed value as JSON without its submitted document,
-- which stands beside it as it came.

PRAGMA application_id = 0x5361676C;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
);
INSERT INTO meta (key, value) VALUES ('token_key', randomblob(32));

CREATE TABLE models (
    name       TEXT PRIMARY KEY COLLATE NOCASE,
    arn        TEXT NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    value      TEXT NOT NULL,
    submitted  TEXT NOT NULL
);
CREATE INDEX models_by_creation ON models (created_us, name);

CREATE TABLE endpoint_configs (
    name       TEXT PRIMARY KEY COLLATE NOCASE,
    arn        TEXT NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    value      TEXT NOT NULL,
    submitted  TEXT NOT NULL
);
CREATE INDEX endpoint_configs_by_creation ON endpoint_configs (created_us, name);

CREATE TABLE endpoints (
    name        TEXT PRIMARY KEY COLLATE NOCASE,
    arn         TEXT NOT NULL UNIQUE,
    created_us  INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    status      TEXT NOT NULL,
    value       TEXT NOT NULL,
    submitted   TEXT NOT NULL
);
CREATE INDEX endpoints_by_creation ON endpoints (created_us, name);
CREATE INDEX endpoints_by_status ON endpoints (status, name);

CREATE TABLE training_jobs (
    name        TEXT PRIMARY KEY COLLATE NOCASE,
    arn         TEXT NOT NULL UNIQUE,
    created_us  INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    status      TEXT NOT NULL,
    value       TEXT NOT NULL,
    submitted   TEXT NOT NULL
);
CREATE INDEX training_jobs_by_creation ON training_jobs (created_us, name);
CREATE INDEX training_jobs_by_status ON training_jobs (status, name);

CREATE TABLE tags (
    arn   TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;

-- A resource's tags go with it, whoever removes it.
CREATE TRIGGER models_lose_tags AFTER DELETE ON models
BEGIN DELETE FROM tags WHERE arn = OLD.arn; END;
CREATE TRIGGER endpoint_configs_lose_tags AFTER DELETE ON endpoint_configs
BEGIN DELETE FROM tags WHERE arn = OLD.arn; END;
CREATE TRIGGER endpoints_lose_tags AFTER DELETE ON endpoints
BEGIN DELETE FROM tags WHERE arn = OLD.arn; END;
CREATE TRIGGER training_jobs_lose_tags AFTER DELETE ON training_jobs
BEGIN DELETE FROM tags WHERE arn = OLD.arn; END;
