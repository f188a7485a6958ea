-- Version 1: the events and the snapshots.

-- AUTOINCREMENT: a position is never given twice, whatever is deleted. The columns that filters
-- look at come before the payload, so that skipping an event never reads its overflow pages.
CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_id BLOB NOT NULL UNIQUE,      -- the 16 bytes of the UUID
    event_type TEXT NOT NULL,
    encoding TEXT NOT NULL,
    timestamp INTEGER NOT NULL,         -- microseconds since 1970 in UTC
    metadata BLOB,
    data BLOB NOT NULL,
    UNIQUE (stream_id, version)
);

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'what happened does not change: events are not updated');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'what happened does not change: events are not deleted');
END;

CREATE TABLE snapshots (
    aggregate_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    encoding TEXT NOT NULL,
    state_version TEXT NOT NULL,
    created_at INTEGER NOT NULL,        -- microseconds since 1970 in UTC
    state BLOB NOT NULL,
    PRIMARY KEY (aggregate_id, version)
) WITHOUT ROWID;

-- "EvSo" in ASCII: tells our files from those of other applications.
PRAGMA application_id = 0x4576536f;

PRAGMA user_version = 1;
