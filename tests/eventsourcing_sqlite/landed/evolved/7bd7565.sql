BEGIN TRANSACTION;
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
INSERT INTO "events" VALUES(1,'landed_shelf-json',1,X'01A22F9A301F74D387034584938A1438','landed.shelf_labelled','json',1796094963743366,NULL,X'7B226C6162656C223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(2,'landed_shelf-json',2,X'01A22F9A301F7DA483CE0945621A6CF6','landed.pieces_put','json',1796094963743855,NULL,X'7B22706965636573223A31307D',NULL);
INSERT INTO "events" VALUES(3,'landed_shelf-json',3,X'01A22F9A302070F9B5FCB0BF285EF7C4','landed.pieces_moved','json',1796094963744063,NULL,X'7B22706965636573223A352C226261636B223A347D',NULL);
INSERT INTO "events" VALUES(4,'landed_shelf-json',4,X'01A22F9A302074A5B622CCFB8CC5A89A','landed.shelf_dusted','json',1796094963744292,NULL,X'7B226279223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(5,'landed_shelf-json',5,X'01A22F9A302077E0AFFE2348A8DB6434','landed.pieces_put','json',1796094963744494,NULL,X'7B22706965636573223A317D',NULL);
INSERT INTO "events" VALUES(6,'landed_shelf-msgpack',1,X'01A22F9A302176C89D450434278A8E2B','landed.shelf_labelled','json',1796094963745427,NULL,X'7B226C6162656C223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(7,'landed_shelf-msgpack',2,X'01A22F9A302176FF8E1139F626E9E0D6','landed.pieces_put','json',1796094963745438,NULL,X'7B22706965636573223A31307D',NULL);
INSERT INTO "events" VALUES(8,'landed_shelf-msgpack',3,X'01A22F9A302177238CE9E3B215701CAE','landed.pieces_moved','json',1796094963745448,NULL,X'7B22706965636573223A352C226261636B223A347D',NULL);
INSERT INTO "events" VALUES(9,'landed_shelf-msgpack',4,X'01A22F9A3021775284259BBBF88F9ACB','landed.shelf_dusted','json',1796094963745458,NULL,X'7B226279223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(10,'landed_shelf-msgpack',5,X'01A22F9A30217762902B49C7C65B023E','landed.pieces_put','json',1796094963745462,NULL,X'7B22706965636573223A317D',NULL);
INSERT INTO "events" VALUES(11,'landed_shelf-deflate',1,X'01A22F9A30217FBE91458AB468C827B7','landed.shelf_labelled','json',1796094963745986,NULL,X'7B226C6162656C223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(12,'landed_shelf-deflate',2,X'01A22F9A30217FDC9A6B8A4DCD6A0F5B','landed.pieces_put','json',1796094963745992,NULL,X'7B22706965636573223A31307D',NULL);
INSERT INTO "events" VALUES(13,'landed_shelf-deflate',3,X'01A22F9A30217FECB85B6A2D8F155C2C','landed.pieces_moved','json',1796094963745995,NULL,X'7B22706965636573223A352C226261636B223A347D',NULL);
INSERT INTO "events" VALUES(14,'landed_shelf-deflate',4,X'01A22F9A30217FF9AC3362765921D1C2','landed.shelf_dusted','json',1796094963745999,NULL,X'7B226279223A225A6FC3AB227D',NULL);
INSERT INTO "events" VALUES(15,'landed_shelf-deflate',5,X'01A22F9A30227004ACC647A2095C515C','landed.pieces_put','json',1796094963746001,NULL,X'7B22706965636573223A317D',NULL);
INSERT INTO "events" VALUES(16,'landed_shelf-json',6,X'92107335615A5121B882AAE9B55C323A','landed.pieces_put.v3','json',1796094963774437,NULL,X'7B22616D6F756E74223A2232222C22756E6974223A227069656365227D',NULL);
INSERT INTO "events" VALUES(17,'landed_shelf-json',7,X'199684F7ECE75612A6903C77BEED6593','landed.pieces_put.v3','json',1796094963777638,NULL,X'7B22616D6F756E74223A2232222C22756E6974223A227069656365227D',NULL);
INSERT INTO "events" VALUES(18,'landed_shelf-json',8,X'845E45A07F645CBB8220599DC52BCF57','landed.pieces_put.v3','json',1796094963779803,NULL,X'7B22616D6F756E74223A2232222C22756E6974223A227069656365227D',NULL);
INSERT INTO "events" VALUES(19,'landed_shelf-json',9,X'01A22F9A30457EACA8F9875670E56A79','landed.shelf_scented','json',1796094963781924,NULL,X'7B226279223A226A736F6E227D',NULL);
INSERT INTO "events" VALUES(20,'landed_shelf-msgpack',6,X'BFBB2EB480DF54CCA47316B0555411D0','landed.pieces_put.v3','msgpack',1796094963793489,NULL,X'82A6616D6F756E74A132A4756E6974A57069656365',NULL);
INSERT INTO "events" VALUES(21,'landed_shelf-msgpack',7,X'DC91BAD0F3B053EBA0565FCF5A295BE0','landed.pieces_put.v3','msgpack',1796094963796871,NULL,X'82A6616D6F756E74A132A4756E6974A57069656365',NULL);
INSERT INTO "events" VALUES(22,'landed_shelf-msgpack',8,X'303232A76B365648A4D38F58E643564E','landed.pieces_put.v3','msgpack',1796094963798854,NULL,X'82A6616D6F756E74A132A4756E6974A57069656365',NULL);
INSERT INTO "events" VALUES(23,'landed_shelf-msgpack',9,X'01A22F9A3059705D8C1768D6DDAFFAFB','landed.shelf_scented','msgpack',1796094963801030,NULL,X'81A26279A76D73677061636B',NULL);
INSERT INTO "events" VALUES(24,'landed_shelf-deflate',6,X'AE49E179B2F95D77A1ABC13BD5DD21EA','landed.pieces_put.v3','json+deflate',1796094963808828,NULL,X'789CAB564ACCCD2FCD2B51B2523252D2512ACDCB04310B32539353956A018A630935',NULL);
INSERT INTO "events" VALUES(25,'landed_shelf-deflate',7,X'60C4BEB2119352719675DE7BF2879B84','landed.pieces_put.v3','json+deflate',1796094963811952,NULL,X'789CAB564ACCCD2FCD2B51B2523252D2512ACDCB04310B32539353956A018A630935',NULL);
INSERT INTO "events" VALUES(26,'landed_shelf-deflate',8,X'F9871D674A4B533D87FD713FBF3D83EB','landed.pieces_put.v3','json+deflate',1796094963814102,NULL,X'789CAB564ACCCD2FCD2B51B2523252D2512ACDCB04310B32539353956A018A630935',NULL);
INSERT INTO "events" VALUES(27,'landed_shelf-deflate',9,X'01A22F9A306874679980431D2DE59FA5','landed.shelf_scented','json+deflate',1796094963816282,NULL,X'789CAB564AAA54B2524A494DCB492C4955AA05002C4C056B',NULL);
CREATE TABLE inline_values (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    PRIMARY KEY (name, version, key)
) WITHOUT ROWID;
INSERT INTO "inline_values" VALUES('landed-stored',1,'landed_shelf-deflate','"18"');
INSERT INTO "inline_values" VALUES('landed-stored',1,'landed_shelf-json','"18"');
INSERT INTO "inline_values" VALUES('landed-stored',1,'landed_shelf-msgpack','"18"');
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
INSERT INTO "projections" VALUES('landed-stored',1,'view','Stored','[]','live',0,NULL,8,'evolved.db.landed-stored-v1',X'CA86460DA88556B144DD4A8EA843E526',15,'["landed.pieces_moved", "landed.pieces_put", "landed.pieces_put.v2", "landed.pieces_put.v3", "landed.pieces_taken"]');
CREATE TABLE snapshots (
    aggregate_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    encoding TEXT NOT NULL,
    state_version TEXT NOT NULL,
    created_at INTEGER NOT NULL,        -- microseconds since 1970 in UTC
    state BLOB NOT NULL,
    PRIMARY KEY (aggregate_id, version)
) WITHOUT ROWID;
INSERT INTO "snapshots" VALUES('landed_shelf-deflate',8,'json+deflate','3:0c006f6f1f0cd66c',1796094963815771,X'789C158BB10D802014057779B194827C1574141B03F99FC4022C041BC3448EE1624A7577C5DD904B52DE76C672A32BA509C26C8DE6C9A8C10D5E8D44ACAC09AC8CA6E003B125F1A83DCEECB2B431B9F813EBF13EE8E1E25152FE5B5BD4FA01DC1F1E5B');
INSERT INTO "snapshots" VALUES('landed_shelf-json',8,'json','3:0c006f6f1f0cd66c',1796094963781396,X'7B226576656E745F6964223A7B222475756964223A2238343565343561302D376636342D356362622D383232302D353939646335326263663537227D2C227374617465223A7B226E616D65223A225A6FC3AB222C22616D6F756E74223A223138227D7D');
INSERT INTO "snapshots" VALUES('landed_shelf-msgpack',8,'msgpack','3:0c006f6f1f0cd66c',1796094963800541,X'82A86576656E745F6964C7240133303332333261372D366233362D353634382D613464332D386635386536343335363465A5737461746582A46E616D65A45A6FC3ABA6616D6F756E74A23138');
CREATE TABLE streams (
    stream_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,                   -- of its last event
    first_version INTEGER NOT NULL DEFAULT 1,   -- the first one that is kept
    deleted_at INTEGER,                         -- microseconds since 1970 in UTC; so below
    archived_at INTEGER
) WITHOUT ROWID;
INSERT INTO "streams" VALUES('landed_shelf-deflate',9,1,NULL,NULL);
INSERT INTO "streams" VALUES('landed_shelf-json',9,1,NULL,NULL);
INSERT INTO "streams" VALUES('landed_shelf-msgpack',9,1,NULL,NULL);
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
CREATE TRIGGER events_inline BEFORE INSERT ON events WHEN eventsourcing_inline() <> 'landed-stored:1' BEGIN SELECT raise(ABORT, 'eventsourcing inline: landed-stored:1'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',27);
COMMIT;
PRAGMA application_id = 1165382511;
PRAGMA user_version = 5;
