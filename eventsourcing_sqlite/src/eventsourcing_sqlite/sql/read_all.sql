-- A page of all streams, forward.
--   :first, :last  the lowest and the highest position wanted
--   :rows          the most events
--   :bytes         no event more once those before it have so many bytes
-- See read_stream.sql on bytes.
SELECT
    stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp,
    {part tags}
FROM events
WHERE
    position BETWEEN :first AND CASE
        WHEN (
            SELECT sum(bytes)
            FROM (
                SELECT length(data) + ifnull(length(metadata), 0) AS bytes
                FROM events
                WHERE position BETWEEN :first AND :last
                ORDER BY position
                LIMIT :rows
            )
        ) <= :bytes
            THEN :last
        ELSE (
            SELECT max(position)
            FROM (
                SELECT
                    position,
                    sum(length(data) + ifnull(length(metadata), 0)) OVER (
                        ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ) AS bytes_before
                FROM events
                WHERE position BETWEEN :first AND :last
                ORDER BY position
                LIMIT :rows
            )
            WHERE ifnull(bytes_before, 0) < :bytes
        )
    END
ORDER BY position
LIMIT :rows;
