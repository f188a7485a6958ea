-- A page of all streams, backward.
--   :first, :last   the lowest and the highest position wanted
--   :event_types    a JSON array of names, or NULL for all
--   :stream_prefix  a blob: UTF-8, so that case counts and no character is special
--   :rows           the most events
--   :bytes          no event more once those before it have so many bytes
-- No position below one that was read comes later: there is one writer at a time, it draws
-- positions in ascending order, and its commit shows all of them at once.
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
SELECT event_type, data, metadata, encoding, event_id, timestamp, stream_id, version, position
FROM page
CROSS JOIN events ON position = place
WHERE ifnull(bytes_before, 0) < :bytes
ORDER BY position DESC;
