-- The first events that the items of a condition let through, above its horizon.
--   :items, :types, :first, :last   see parts/matching.sql
--   :rows                           the most events
WITH RECURSIVE
{part matching}
SELECT
    stream_id, version, position, event_type, data, metadata, encoding, event_id, timestamp,
    {part tags}
FROM matches
CROSS JOIN events ON position = place
ORDER BY position
LIMIT :rows;
