-- The newest snapshot of an aggregate, in one row at the beginning, and a page of a stream from its
-- version on: both of one moment, and one errand to the thread. Without a snapshot that row is empty,
-- and the page begins at :first. Only for short pages: the rows are copied. LIMIT keeps their order.
--   :aggregate_id
--   {page}         read_stream.sql, with the version that the snapshot has in place of :first
WITH snapshot AS (
    SELECT version, state, encoding, state_version, created_at
    FROM snapshots
    WHERE aggregate_id = :aggregate_id AND version <= :last
    ORDER BY version DESC
    LIMIT 1
)
SELECT max(version), state, encoding, state_version, created_at, NULL, NULL, NULL, NULL, NULL
FROM snapshot
UNION ALL
SELECT * FROM (
{page}
);
