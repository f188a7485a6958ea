-- Of each event type: its name, its events, the streams that begin with it, its last position, and the
-- bytes of its data and metadata.
-- length() of a blob does not read it. LIMIT keeps SQLite from sorting the blobs themselves: it makes
-- a query of its own of the inner one.
SELECT event_type, count(*), sum(version = 1), max(position), sum(bytes)
FROM (
    SELECT
        event_type, version, position,
        length(data) + ifnull(length(metadata), 0) AS bytes
    FROM events
    LIMIT -1
)
GROUP BY event_type;
