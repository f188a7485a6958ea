-- Parked keys that are due or wished for, those that wait longest first.
--   :segments   a JSON array of pairs, the lowest and the highest hash
--   :rows       at most so many
SELECT
    {part parked_columns}
FROM eventsourcing_parked_keys AS keys
WHERE
    (wish IS NOT NULL OR next_try <= (julianday('now') - 2440587.5) * 86400.0)
    AND EXISTS (
        SELECT 1 FROM json_each(:segments)
        WHERE
            keys.hash BETWEEN json_extract(value, '$[0]') AND json_extract(value, '$[1]')
    )
ORDER BY
    coalesce(next_try, 0),
    (SELECT min(position) FROM eventsourcing_parked_events AS events WHERE events.key = keys.key),
    key
LIMIT :rows;
