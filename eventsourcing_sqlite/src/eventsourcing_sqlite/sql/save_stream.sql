-- The version that a stream has now; run for each stream of a batch.
--   the stream's id, its version
INSERT INTO streams (stream_id, version)
VALUES (?, ?)
ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version;
