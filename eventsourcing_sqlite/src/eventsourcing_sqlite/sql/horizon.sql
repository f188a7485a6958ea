-- The position up to which all is decided: the highest one that was ever given, 0 in a new store.
-- There is one writer at a time, it draws positions in ascending order, and its commit shows all of
-- them at once. sqlite_sequence does not go back when the last events are deleted by hand; it is
-- behind the events where somebody has copied the tables without it.
SELECT max(
    ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
    ifnull((SELECT max(position) FROM events), 0)
);
