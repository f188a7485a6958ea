BEGIN TRANSACTION;
CREATE TABLE eventsourcing_build (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    file_id BLOB NOT NULL                   -- the same as in the store's file
);
INSERT INTO "eventsourcing_build" VALUES('landed-balances',1,X'77A1A8C51B130B68A998582A586F6AD7');
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
INSERT INTO "eventsourcing_segments" VALUES(0,16383,59,59,X'01A22F9A2B6472D4AF2CF50FA93EA0F7',1);
INSERT INTO "eventsourcing_segments" VALUES(16384,32767,59,59,X'01A22F9A2B6472D4AF2CF50FA93EA0F7',1);
INSERT INTO "eventsourcing_segments" VALUES(32768,49151,59,59,X'01A22F9A2B6472D4AF2CF50FA93EA0F7',1);
INSERT INTO "eventsourcing_segments" VALUES(49152,65535,59,59,X'01A22F9A2B6472D4AF2CF50FA93EA0F7',1);
CREATE TABLE "view" (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "view" VALUES('Account-json','{"owner":"Zoë json","amount":"0.21"}');
INSERT INTO "view" VALUES('Account-msgpack','{"owner":"Zoë msgpack","amount":"0.21"}');
CREATE INDEX eventsourcing_parked_hashes ON eventsourcing_parked_keys (hash, key);
CREATE INDEX eventsourcing_parked_wishes ON eventsourcing_parked_keys (wish)
WHERE wish IS NOT NULL;
CREATE INDEX eventsourcing_parked_times ON eventsourcing_parked_keys (next_try)
WHERE next_try IS NOT NULL;
CREATE INDEX eventsourcing_parked_positions ON eventsourcing_parked_events (position);
CREATE INDEX eventsourcing_view_0 ON "view" (value -> '$."owner"', key);
COMMIT;
PRAGMA application_id = 1165381746;
PRAGMA user_version = 0;
