-- The highest position with an event, up to one; NULL if there is none.
--   :last
SELECT max(position) FROM events WHERE position <= :last;
