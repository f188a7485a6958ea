-- Parked keys by hash and key, with the positions of the first 1,000 events that wait.
--   :position   of an event that waits; NULL: any
--   :rows       at most so many; -1: no bound
SELECT
    {part parked_columns}
FROM eventsourcing_parked_keys AS keys
WHERE
    :position IS NULL
    OR key IN (SELECT key FROM eventsourcing_parked_events WHERE position = :position)
ORDER BY hash, key
LIMIT :rows;
