-- Take the first events of a key off.
DELETE FROM eventsourcing_parked_events WHERE key = :key AND position <= :to_position;
