-- A page of one stream, forward.
--   :stream_id
--   :first, :last  the lowest and the highest version wanted
--   :rows          the most events
--   :bytes         no event more once those before it have so many bytes
-- The limit in bytes bounds the memory that a page takes, however large the events are; the first
-- event always comes. length() of a blob does not read it. Most pages are far below the limit: for
-- them one sum is enough, and only for the others bytes are counted from event to event.
SELECT
    stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp,
    {part tags}
FROM events
WHERE
    stream_id = :stream_id
    AND version BETWEEN :first AND CASE
        WHEN (
            SELECT sum(bytes)
            FROM (
                SELECT length(data) + ifnull(length(metadata), 0) AS bytes
                FROM events
                WHERE stream_id = :stream_id AND version BETWEEN :first AND :last
                ORDER BY version
                LIMIT :rows
            )
        ) <= :bytes
            THEN :last
        ELSE (
            SELECT max(version)
            FROM (
                SELECT
                    version,
                    sum(length(data) + ifnull(length(metadata), 0)) OVER (
                        ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ) AS bytes_before
                FROM events
                WHERE stream_id = :stream_id AND version BETWEEN :first AND :last
                ORDER BY version
                LIMIT :rows
            )
            WHERE ifnull(bytes_before, 0) < :bytes
        )
    END
ORDER BY version
LIMIT :rows;
