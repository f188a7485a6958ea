-- Version 4: views that are inline: appends themselves apply their events to them.

ALTER TABLE projections ADD COLUMN inline_from INTEGER;

-- The values of views while they are inline: one transaction has to write them and the events, and in
-- WAL mode none spans two files.
CREATE TABLE inline_values (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    PRIMARY KEY (name, version, key)
) WITHOUT ROWID;

PRAGMA user_version = 4;
