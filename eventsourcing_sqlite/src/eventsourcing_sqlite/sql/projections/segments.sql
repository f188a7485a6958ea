-- The segments of a build.
SELECT low, high, position, checkpoint_position, checkpoint_event_id, epoch
FROM eventsourcing_segments
ORDER BY low;
