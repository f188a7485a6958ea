-- A page of one stream, forward.
--   :stream_id
--   :first, :last  the lowest and the highest version wanted
--   :rows          the most events
--   :bytes         no event more once those before it have so many bytes
-- The limit in bytes bounds the memory that a page takes, however large the events are; the first
-- event always comes. length() of a blob does not read it.
WITH page AS (
    SELECT
        position AS place,
        sum(length(data) + ifnull(length(metadata), 0)) OVER (
            ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM events
    WHERE stream_id = :stream_id AND version BETWEEN :first AND :last
    ORDER BY version
    LIMIT :rows
)
SELECT event_type, data, metadata, encoding, event_id, timestamp, stream_id, version, position
FROM page
CROSS JOIN events ON position = place
WHERE ifnull(bytes_before, 0) < :bytes
ORDER BY version;
