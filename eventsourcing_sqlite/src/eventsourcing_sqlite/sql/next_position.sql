-- The lowest position with an event, from one on; NULL if there is none.
--   :first
SELECT min(position) FROM events WHERE position >= :first;
