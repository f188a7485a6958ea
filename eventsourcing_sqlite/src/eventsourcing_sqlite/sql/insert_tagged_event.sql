-- One event of a batch in which some have tags: see insert_event.sql.
--   the fields of its Row; the tags are a JSON array, or NULL
INSERT INTO events
    (stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp, tags)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
