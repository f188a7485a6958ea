-- A page of all streams and, in one more row at its end, how far all is decided: as position. See
-- horizon.sql. Both are of one moment, and one errand to the thread. Only for short pages: the rows
-- are copied. LIMIT keeps the order of the page.
SELECT * FROM (
{page}
)
UNION ALL
SELECT
    '', 0, max(
        ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
        ifnull((SELECT max(position) FROM events), 0)
    ),
    '', x'', NULL, '', x'', 0, NULL;
