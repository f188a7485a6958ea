-- A page of the streams, by id: each with its version.
--   :after          the id after which it begins
--   :first, :end    blobs: the prefix, and what is above all ids that begin with it
--   :rows           the most streams
-- A blob of UTF-8, so that case counts and no character is special. A text is compared by its bytes,
-- so ids that begin with the prefix follow each other.
-- The ids are those of the events: from one id SQLite looks the next one up in the index, and never
-- steps over a stream's events. A program that does not know the table streams may have appended
-- while this version had the file open, too, so both are asked for the version.
WITH RECURSIVE ids (id) AS (
    SELECT min(stream_id)
    FROM events
    WHERE stream_id > :after AND stream_id >= CAST(:first AS TEXT)
    UNION ALL
    SELECT (SELECT min(stream_id) FROM events WHERE stream_id > id)
    FROM ids
    WHERE id < CAST(:end AS TEXT)
    LIMIT :rows
)
SELECT
    id,
    max(
        (SELECT max(version) FROM events WHERE stream_id = id),
        ifnull((SELECT version FROM streams WHERE stream_id = id), 0)
    )
FROM ids
WHERE id < CAST(:end AS TEXT)
ORDER BY id;
