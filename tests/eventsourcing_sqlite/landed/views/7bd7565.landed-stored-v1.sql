BEGIN TRANSACTION;
CREATE TABLE eventsourcing_build (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    file_id BLOB NOT NULL                   -- the same as in the store's file
);
INSERT INTO "eventsourcing_build" VALUES('landed-stored',1,X'CA86460DA88556B144DD4A8EA843E526');
CREATE TABLE eventsourcing_parked_events (
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (key, position)
) WITHOUT ROWID;
CREATE TABLE eventsourcing_parked_keys (
    key TEXT PRIMARY KEY,
    hash INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    next_try REAL,                          -- seconds since 1970 in UTC; NULL: it is given up
    wish TEXT                               -- retry or skip
) WITHOUT ROWID;
CREATE TABLE eventsourcing_segments (
    low INTEGER PRIMARY KEY,
    high INTEGER NOT NULL,
    position INTEGER NOT NULL,
    checkpoint_position INTEGER,
    checkpoint_event_id BLOB,
    epoch INTEGER NOT NULL
);
INSERT INTO "eventsourcing_segments" VALUES(0,8191,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(8192,16383,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(16384,24575,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(24576,32767,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(32768,40959,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(40960,49151,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(49152,57343,0,NULL,NULL,2);
INSERT INTO "eventsourcing_segments" VALUES(57344,65535,0,NULL,NULL,2);
CREATE TABLE "view" (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX eventsourcing_parked_hashes ON eventsourcing_parked_keys (hash, key);
CREATE INDEX eventsourcing_parked_wishes ON eventsourcing_parked_keys (wish)
WHERE wish IS NOT NULL;
CREATE INDEX eventsourcing_parked_times ON eventsourcing_parked_keys (next_try)
WHERE next_try IS NOT NULL;
CREATE INDEX eventsourcing_parked_positions ON eventsourcing_parked_events (position);
COMMIT;
PRAGMA application_id = 1165381746;
PRAGMA user_version = 0;
