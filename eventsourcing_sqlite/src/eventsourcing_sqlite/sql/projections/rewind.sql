-- Set all segments to a progress, and fence whoever had them.
UPDATE eventsourcing_segments
SET
    position = :to_position,
    checkpoint_position = :to_checkpoint_position,
    checkpoint_event_id = :to_checkpoint_event_id,
    epoch = epoch + 1;
