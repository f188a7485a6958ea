-- A page of the streams, by id: each with its version.
--   :after          the id after which it begins
--   :first, :end    blobs: the prefix, and what is above all ids that begin with it
--   :rows           the most streams
-- A blob of UTF-8, so that case counts and no character is special. A text is compared by its bytes,
-- so ids that begin with the prefix follow each other, and SQLite goes from the one to the other.
SELECT stream_id, version
FROM streams
WHERE
    stream_id > :after
    AND stream_id >= CAST(:first AS TEXT)
    AND stream_id < CAST(:end AS TEXT)
ORDER BY stream_id
LIMIT :rows;
