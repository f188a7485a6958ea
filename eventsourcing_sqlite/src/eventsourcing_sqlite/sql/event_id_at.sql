-- The id of the event at a position; no row if there is none.
--   :position
SELECT event_id FROM events WHERE position = :position;
