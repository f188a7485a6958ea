-- Delete all but the newest snapshots of an aggregate.
--   :aggregate_id
--   :keep          how many stay
-- The inner query gives the newest one to go; nothing compares with its NULL if all stay.
DELETE FROM snapshots
WHERE
    aggregate_id = :aggregate_id
    AND version <= (
        SELECT version
        FROM snapshots
        WHERE aggregate_id = :aggregate_id
        ORDER BY version DESC
        LIMIT 1 OFFSET :keep
    );
