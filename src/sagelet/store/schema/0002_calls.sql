-- Calls of endpoints, the bodies that they sent and got (files, by what they hold), and what the
-- owner has chosen.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- `id` is a ULID: calls sort by it. `payload` and `answer` name bodies; they are empty where a body
-- is not kept.
CREATE TABLE calls (
    endpoint TEXT NOT NULL COLLATE NOCASE,
    id       TEXT NOT NULL,
    status   INTEGER NOT NULL,
    payload  TEXT NOT NULL,
    answer   TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (endpoint, id)
) WITHOUT ROWID;
CREATE INDEX calls_by_id ON calls (id);
CREATE INDEX calls_by_payload ON calls (payload);
CREATE INDEX calls_by_answer ON calls (answer);

CREATE TABLE call_bodies (
    digest TEXT PRIMARY KEY,
    bytes  INTEGER NOT NULL
) WITHOUT ROWID;

-- An endpoint's calls go with it, whoever removes it.
CREATE TRIGGER endpoints_lose_calls AFTER DELETE ON endpoints
BEGIN DELETE FROM calls WHERE endpoint = OLD.name; END;
