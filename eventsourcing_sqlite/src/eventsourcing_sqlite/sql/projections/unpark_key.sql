-- Take a key off that has no events any more.
DELETE FROM eventsourcing_parked_keys
WHERE
    key = :key
    AND NOT EXISTS (SELECT 1 FROM eventsourcing_parked_events WHERE key = :key);
