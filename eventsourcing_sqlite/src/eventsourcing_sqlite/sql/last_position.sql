-- The highest position there is, 0 in an empty store.
SELECT ifnull(max(position), 0) FROM events;
