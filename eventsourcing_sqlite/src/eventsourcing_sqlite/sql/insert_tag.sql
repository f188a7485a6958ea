-- Where an event of a tag stands; run for each tag of each event of a batch, if there are any.
--   the tag, the position
INSERT INTO event_tags (tag, position) VALUES (?, ?);
