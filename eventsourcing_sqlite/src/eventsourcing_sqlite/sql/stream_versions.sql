-- The versions of streams (0: there is none), each beside the last position of the store.
--   :stream_ids  a JSON array
-- Read inside the transaction that writes, so both hold until its commit. sqlite_sequence is where
-- AUTOINCREMENT remembers the highest position that ever was.
SELECT
    wanted.value,
    ifnull((SELECT max(version) FROM events WHERE stream_id = wanted.value), 0),
    ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
FROM json_each(:stream_ids) AS wanted;
