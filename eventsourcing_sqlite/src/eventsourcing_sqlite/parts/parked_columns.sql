-- What is told of parked keys, with the positions of the first 1,000 events that wait.
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
