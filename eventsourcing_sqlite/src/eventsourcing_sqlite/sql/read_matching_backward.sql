-- A page of those events of all streams that a filter lets through, backward.
--   :first, :last   the lowest and the highest position to look at
--   :event_types    a JSON array of names, or NULL for all
--   :stream_prefix  a blob: UTF-8, so that case counts and no character is special
--   :rows           the most events
--   :bytes          no event more once those before it have so many bytes; length() of a blob does
--                   not read it
WITH page AS (
    SELECT
        position AS place,
        sum(length(data) + ifnull(length(metadata), 0)) OVER (
            ORDER BY position DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM events
    WHERE
        position BETWEEN :first AND :last
        AND (:event_types IS NULL OR event_type IN (SELECT value FROM json_each(:event_types)))
        AND substr(CAST(stream_id AS BLOB), 1, length(:stream_prefix)) = :stream_prefix
    ORDER BY position DESC
    LIMIT :rows
)
SELECT
    stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp,
    {part tags}
FROM page
CROSS JOIN events ON position = place
WHERE ifnull(bytes_before, 0) < :bytes
ORDER BY position DESC;
