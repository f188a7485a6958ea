-- Where the events stand that an item of a query lets through: the columns of WITH RECURSIVE.
--   :items          a JSON array of those items that have tags: each an array of its tags (a JSON
--                   array), and of its types or null
--   :types          the types of the items without tags, together: a JSON array, or NULL for all
--   :first, :last   the lowest and the highest position to look at
-- An item of one tag is a stretch of the index. Of several tags, the index is asked for the first
-- place at or after which each of them stands; the furthest of these places is asked for next, until
-- all are the same one. So the rarest tag says how long it takes, whichever of them it is.
items (tags, types) AS MATERIALIZED (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
    FROM json_each(:items)
),
steps (tags, types, asked, met) AS (
    SELECT tags, types, :first - 1, :first - 1
    FROM items
    WHERE json_array_length(tags) > 1
    UNION ALL
    SELECT
        tags, types, met + (met = asked),
        (
            SELECT CASE WHEN count(*) = count(there) THEN max(there) END
            FROM (
                SELECT (
                    SELECT min(position)
                    FROM event_tags
                    WHERE tag = value AND position >= met + (met = asked)
                ) AS there
                FROM json_each(tags)
            )
        )
    FROM steps
    WHERE met <= :last
),
places (place, types) AS (
    SELECT position, types
    FROM items
    CROSS JOIN event_tags ON tag = json_extract(tags, '$[0]')
    WHERE json_array_length(tags) = 1 AND position BETWEEN :first AND :last
    UNION ALL
    SELECT met, types
    FROM steps
    WHERE met = asked AND met BETWEEN :first AND :last
),
matches (place) AS (
    SELECT place
    FROM places
    WHERE
        types IS NULL
        OR (SELECT event_type FROM events WHERE position = place)
        IN (SELECT value FROM json_each(types))
    UNION
    SELECT position
    FROM events
    WHERE
        :types IS NOT '[]'
        AND position BETWEEN :first AND :last
        AND (:types IS NULL OR event_type IN (SELECT value FROM json_each(:types)))
)
