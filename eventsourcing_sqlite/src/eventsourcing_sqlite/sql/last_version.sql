-- The version of a stream, 0 if there is none.
--   :stream_id
SELECT ifnull(max(version), 0) FROM events WHERE stream_id = :stream_id;
