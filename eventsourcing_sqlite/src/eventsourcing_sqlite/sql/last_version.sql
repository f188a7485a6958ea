-- The highest version that a stream has events of, 0 if it has none.
--   :stream_id
SELECT ifnull(max(version), 0) FROM events WHERE stream_id = :stream_id;
