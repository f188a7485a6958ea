-- One event without tags; run for each event of a batch.
--   the fields of its Row but the last
-- The position is given: it was read from sqlite_sequence in this transaction, which this statement
-- moves on. So the result of each append is known before the insert.
INSERT INTO events
    (stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
