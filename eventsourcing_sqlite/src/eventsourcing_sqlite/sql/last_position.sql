-- The highest position there is (0 in an empty store), and the highest one that was ever given.
SELECT ends.last, max(ends.last, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0))
FROM (SELECT ifnull(max(position), 0) AS last FROM events) AS ends;
