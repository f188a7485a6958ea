-- The tables of ours in the file of a build, beside the view or the tables of the user's.

PRAGMA application_id = 0x45765072;

-- One row: whose file it is.
CREATE TABLE eventsourcing_build (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    file_id BLOB NOT NULL                   -- the same as in the store's file
);

CREATE TABLE eventsourcing_segments (
    low INTEGER PRIMARY KEY,
    high INTEGER NOT NULL,
    position INTEGER NOT NULL,
    checkpoint_position INTEGER,
    checkpoint_event_id BLOB,
    epoch INTEGER NOT NULL
);

CREATE TABLE eventsourcing_parked_keys (
    key TEXT PRIMARY KEY,
    hash INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    next_try REAL,                          -- seconds since 1970 in UTC; NULL: it is given up
    wish TEXT                               -- retry or skip
) WITHOUT ROWID;

CREATE INDEX eventsourcing_parked_hashes ON eventsourcing_parked_keys (hash, key);

CREATE INDEX eventsourcing_parked_wishes ON eventsourcing_parked_keys (wish)
WHERE wish IS NOT NULL;

CREATE INDEX eventsourcing_parked_times ON eventsourcing_parked_keys (next_try)
WHERE next_try IS NOT NULL;

CREATE TABLE eventsourcing_parked_events (
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (key, position)
) WITHOUT ROWID;

CREATE INDEX eventsourcing_parked_positions ON eventsourcing_parked_events (position);
