-- Parked keys by hash and key, with the positions of the first 1,000 events that wait.
--   :position   of an event that waits; NULL: any
--   :rows       at most so many; -1: no bound
SELECT
    key, hash,
    (
        SELECT json_group_array(position)
        FROM (
            SELECT position FROM eventsourcing_parked_events AS events
            WHERE events.key = keys.key
            ORDER BY position
            LIMIT 1000
        )
    ),
    (SELECT count(*) FROM eventsourcing_parked_events AS events WHERE events.key = keys.key),
    attempts, error,
    coalesce(next_try <= (julianday('now') - 2440587.5) * 86400.0, 0),
    wish, next_try IS NULL
FROM eventsourcing_parked_keys AS keys
WHERE
    :position IS NULL
    OR key IN (SELECT key FROM eventsourcing_parked_events WHERE position = :position)
ORDER BY hash, key
LIMIT :rows;
