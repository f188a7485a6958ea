-- A page of the streams, by id: each with the version of its last event.
--   :after   the id after which it begins
--   :prefix  a blob: UTF-8, so that case counts and no character is special
--   :rows    the most ids to look at
-- From one id SQLite looks the next one up in the index, and never steps over a stream's events. Ids
-- that begin with the prefix follow each other, so the first one that does not is the end.
WITH RECURSIVE ids (id) AS (
    SELECT min(stream_id)
    FROM events
    WHERE stream_id > :after AND stream_id >= CAST(:prefix AS TEXT)
    UNION ALL
    SELECT (SELECT min(stream_id) FROM events WHERE stream_id > id)
    FROM ids
    WHERE substr(CAST(id AS BLOB), 1, length(:prefix)) = :prefix
    LIMIT :rows
)
SELECT id, (SELECT max(version) FROM events WHERE stream_id = id)
FROM ids
WHERE substr(CAST(id AS BLOB), 1, length(:prefix)) = :prefix
ORDER BY id;
