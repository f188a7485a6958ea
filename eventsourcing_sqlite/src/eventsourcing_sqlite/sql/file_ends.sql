-- Both ends of each table and index; where these pages are damaged, SQLite says so.
-- A few pages, however large the file, and those where the next events are written. Each end is a
-- query of its own: only so SQLite looks it up in the index instead of searching for it.
SELECT
    (SELECT min(position) FROM events),
    (SELECT max(position) FROM events),
    (SELECT min(stream_id) FROM events),
    (SELECT max(stream_id) FROM events),
    (SELECT min(event_id) FROM events),
    (SELECT max(event_id) FROM events),
    (SELECT min(stream_id) FROM streams),
    (SELECT max(stream_id) FROM streams),
    (SELECT min(tag) FROM event_tags),
    (SELECT max(tag) FROM event_tags),
    (SELECT min(aggregate_id) FROM snapshots),
    (SELECT max(aggregate_id) FROM snapshots),
    (SELECT max(seq) FROM sqlite_sequence);
