-- Wish something for a parked key.
--   :key   NULL: for all
UPDATE eventsourcing_parked_keys SET wish = :wish WHERE :key IS NULL OR key = :key;
