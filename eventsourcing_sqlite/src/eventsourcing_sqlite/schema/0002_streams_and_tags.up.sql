-- Version 2: a row for each stream, tags of events, and a view for people.

-- A stream's version stays when its events are deleted by hand, so that no version is given twice.
CREATE TABLE streams (
    stream_id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,                   -- of its last event
    first_version INTEGER NOT NULL DEFAULT 1,   -- the first one that is kept
    deleted_at INTEGER,                         -- microseconds since 1970 in UTC; so below
    archived_at INTEGER
) WITHOUT ROWID;

INSERT INTO streams (stream_id, version, first_version)
SELECT stream_id, max(version), min(version) FROM events GROUP BY stream_id;

-- A JSON array of texts, NULL unless used. A new column is the last one, so no row is written now.
ALTER TABLE events ADD COLUMN tags TEXT;

-- Times with their microseconds, rounded down before 1970, too.
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

PRAGMA user_version = 2;
