-- Where events stand, of those ids that the store holds.
--   :event_ids  the ids, 16 bytes each, one after the other
-- Cutting one blob needs no list of parameters of varying length. CROSS JOIN: SQLite looks up each id
-- in the unique index, and never scans the events.
WITH RECURSIVE starts (start) AS (
    SELECT 1
    UNION ALL
    SELECT start + 16 FROM starts WHERE start + 16 < length(:event_ids)
)
SELECT event_id, stream_id, version, position
FROM starts
CROSS JOIN events ON event_id = substr(:event_ids, start, 16);
