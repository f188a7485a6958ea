-- The version that a stream has reached; its events may have been deleted by hand since.
--   :stream_id
SELECT version FROM streams WHERE stream_id = :stream_id;
