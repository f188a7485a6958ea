-- What a batch has to know: the versions of its streams (0: there is none), each beside the last
-- position of the store; then where events stand, of those ids that the store holds.
--   :stream_ids  a JSON array
--   :event_ids   the ids, 16 bytes each, one after the other
-- Read inside the transaction that writes, so all of it holds until its commit. One statement, since
-- each is an errand to a thread.
--
-- The table of streams keeps the version of a stream whose events were deleted by hand. The events
-- are asked, too: a program of the version before, which had the file open while it was migrated,
-- appends without it. sqlite_sequence is where AUTOINCREMENT remembers the highest position that
-- ever was; it is behind the events where somebody has copied the tables without it.
--
-- Cutting one blob needs no list of parameters of varying length. CROSS JOIN: SQLite looks up each id
-- in the unique index, and never scans the events.
WITH RECURSIVE starts (start) AS (
    SELECT 1
    UNION ALL
    SELECT start + 16 FROM starts WHERE start + 16 < length(:event_ids)
)
SELECT
    NULL AS event_id,
    wanted.value AS stream_id,
    max(
        ifnull((SELECT version FROM streams WHERE stream_id = wanted.value), 0),
        ifnull((SELECT max(version) FROM events WHERE stream_id = wanted.value), 0)
    ) AS version,
    max(
        ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
        ifnull((SELECT max(position) FROM events), 0)
    ) AS position
FROM json_each(:stream_ids) AS wanted
UNION ALL
SELECT event_id, stream_id, version, position
FROM starts
CROSS JOIN events ON event_id = substr(:event_ids, start, 16);
