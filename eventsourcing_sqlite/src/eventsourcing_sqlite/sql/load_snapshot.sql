-- The newest snapshot of an aggregate.
--   :aggregate_id
--   :max_version   its highest version
SELECT state, version, encoding, state_version, created_at
FROM snapshots
WHERE aggregate_id = :aggregate_id AND version <= :max_version
ORDER BY version DESC
LIMIT 1;
