-- The tags of an event: in a store without any NULL for all, which costs nothing for a row; else '' for
-- an event that has none.
CASE WHEN EXISTS (SELECT 1 FROM event_tags) THEN ifnull(tags, '') END AS tags
