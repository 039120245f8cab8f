-- Endpoints that their owner has made public, each under a name of its own in an address.

CREATE TABLE publications (
    endpoint TEXT PRIMARY KEY COLLATE NOCASE,
    slug     TEXT NOT NULL UNIQUE,
    value    TEXT NOT NULL
) WITHOUT ROWID;

-- What is public goes with its endpoint, whoever removes it.
CREATE TRIGGER endpoints_lose_publications AFTER DELETE ON endpoints
BEGIN DELETE FROM publications WHERE endpoint = OLD.name; END;
