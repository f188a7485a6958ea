BEGIN TRANSACTION;
CREATE TABLE event_tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, position)
) WITHOUT ROWID;
INSERT INTO "event_tags" VALUES('Zoë 漢 🎉',4);
INSERT INTO "event_tags" VALUES('[',4);
INSERT INTO "event_tags" VALUES('a"b\',4);
INSERT INTO "event_tags" VALUES('course:1',1);
INSERT INTO "event_tags" VALUES('course:1',3);
INSERT INTO "event_tags" VALUES('course:1',4);
INSERT INTO "event_tags" VALUES('student:9',3);
CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_id BLOB NOT NULL UNIQUE,      -- the 16 bytes of the UUID
    event_type TEXT NOT NULL,
    encoding TEXT NOT NULL,
    timestamp INTEGER NOT NULL,         -- microseconds since 1970 in UTC
    metadata BLOB,
    data BLOB NOT NULL, tags TEXT,
    UNIQUE (stream_id, version)
);
INSERT INTO "events" VALUES(1,'tagged-1',1,X'00000000000000000000000000000001','frozen.tagged','json',1795608000000000,NULL,X'7B226E223A317D','["course:1"]');
INSERT INTO "events" VALUES(2,'tagged-1',2,X'00000000000000000000000000000002','frozen.tagged','json',1795608000000000,NULL,X'7B226E223A327D',NULL);
INSERT INTO "events" VALUES(3,'tagged-1',3,X'00000000000000000000000000000003','frozen.tagged','json',1795608000000000,NULL,X'7B226E223A337D','["course:1","student:9"]');
INSERT INTO "events" VALUES(4,'tagged-2',1,X'00000000000000000000000000000004','frozen.tagged','json',1795608000000000,NULL,X'7B226E223A347D','["Zoë 漢 🎉","[","a\"b\\","course:1"]');
CREATE TABLE inline_values (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    PRIMARY KEY (name, version, key)
) WITHOUT ROWID;
CREATE TABLE projection_claims (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    low INTEGER NOT NULL,                   -- the lowest hash of the segment
    owner TEXT NOT NULL,
    PRIMARY KEY (name, version, low)
) WITHOUT ROWID;
CREATE TABLE projection_workers (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    owner TEXT NOT NULL,
    until REAL NOT NULL,                    -- when its lease runs out: seconds since 1970 in UTC
    most INTEGER,                           -- segments that it takes; NULL: all
    last_error TEXT,
    PRIMARY KEY (name, version, owner)
) WITHOUT ROWID;
CREATE TABLE projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,                     -- view, projection or reactor
    class_name TEXT NOT NULL,
    indexes TEXT NOT NULL,                  -- a JSON array of fields
    state TEXT NOT NULL,                    -- building, live or retired
    is_paused INTEGER NOT NULL DEFAULT 0,
    switching_until REAL,                   -- seconds since 1970 in UTC; NULL: it is not
    wanted_segments INTEGER NOT NULL,
    file TEXT NOT NULL,                     -- its name, in the folder of this file
    file_id BLOB NOT NULL, inline_from INTEGER, event_types TEXT DEFAULT '[]',                  -- the same as in that file
    PRIMARY KEY (name, version)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    aggregate_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    encoding TEXT NOT NULL,
    state_version TEXT NOT NULL,
    created_at INTEGER NOT NULL,        -- microseconds since 1970 in UTC
    state BLOB NOT NULL,
    PRIMARY KEY (aggregate_id, version)
) WITHOUT ROWID;
CREATE TABLE streams (
    stream_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,                   -- of its last event
    first_version INTEGER NOT NULL DEFAULT 1,   -- the first one that is kept
    deleted_at INTEGER,                         -- microseconds since 1970 in UTC; so below
    archived_at INTEGER
) WITHOUT ROWID;
INSERT INTO "streams" VALUES('tagged-1',3,1,NULL,NULL);
INSERT INTO "streams" VALUES('tagged-2',1,1,NULL,NULL);
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'what happened does not change: events are not updated');
END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'what happened does not change: events are not deleted');
END;
CREATE VIEW readable_events AS
SELECT
    position, stream_id, version, event_type,
    lower(
        substr(hex(event_id), 1, 8) || '-' || substr(hex(event_id), 9, 4) || '-'
        || substr(hex(event_id), 13, 4) || '-' || substr(hex(event_id), 17, 4) || '-'
        || substr(hex(event_id), 21)
    ) AS event_id,
    strftime(
        '%Y-%m-%d %H:%M:%S',
        (timestamp - (timestamp % 1000000 + 1000000) % 1000000) / 1000000,
        'unixepoch'
    ) || printf('.%06d', (timestamp % 1000000 + 1000000) % 1000000) AS happened_at,
    encoding, data, metadata,
    CASE WHEN encoding = 'json' THEN CAST(data AS TEXT) END AS data_text,
    CASE WHEN encoding = 'json' THEN CAST(metadata AS TEXT) END AS metadata_text,
    tags
FROM events;
CREATE UNIQUE INDEX projections_live ON projections (name) WHERE state = 'live';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',4);
COMMIT;
PRAGMA application_id = 1165382511;
PRAGMA user_version = 6;
