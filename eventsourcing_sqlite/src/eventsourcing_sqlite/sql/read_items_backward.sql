-- A page of those events of all streams that a query's items and a filter let through, backward.
--   :items, :types, :first, :last   see parts/matching.sql
--   :event_types, :stream_prefix    see read_matching.sql; so below
--   :rows, :bytes
WITH RECURSIVE
{part matching},
page AS (
    SELECT
        place,
        sum(length(data) + ifnull(length(metadata), 0)) OVER (
            ORDER BY place DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bytes_before
    FROM matches
    CROSS JOIN events ON position = place
    WHERE
        (:event_types IS NULL OR event_type IN (SELECT value FROM json_each(:event_types)))
        AND substr(CAST(stream_id AS BLOB), 1, length(:stream_prefix)) = :stream_prefix
    ORDER BY place DESC
    LIMIT :rows
)
SELECT
    stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp,
    {part tags}
FROM page
CROSS JOIN events ON position = place
WHERE ifnull(bytes_before, 0) < :bytes
ORDER BY position DESC;
