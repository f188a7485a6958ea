-- Whether there is something that somebody should do at once.
--   :claimed   the lows of the segments that are claimed, a JSON array
SELECT
    EXISTS (
        SELECT 1 FROM eventsourcing_segments
        WHERE low NOT IN (SELECT value FROM json_each(:claimed))
    )
    OR EXISTS (SELECT 1 FROM eventsourcing_parked_keys WHERE wish IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM eventsourcing_parked_keys
        WHERE next_try <= (julianday('now') - 2440587.5) * 86400.0
    );
