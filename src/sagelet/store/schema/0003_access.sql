-- Who may ask: browsers that are signed in, and API keys. Of either only a digest is kept.

CREATE TABLE sessions (
    digest  TEXT PRIMARY KEY,
    ends_us INTEGER NOT NULL
) WITHOUT ROWID;

-- `id` is the part of a key that may be shown; `value` is the rest of what its owner chose.
CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    digest       TEXT NOT NULL,
    value        TEXT NOT NULL,
    last_used_us INTEGER
) WITHOUT ROWID;
