-- How far all is decided, as in horizon.sql, and the last event: its position and its id, or NULL. All
-- are of one moment.
SELECT
    max(
        ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
        ifnull((SELECT max(position) FROM events), 0)
    ),
    (SELECT max(position) FROM events),
    (SELECT event_id FROM events ORDER BY position DESC LIMIT 1);
