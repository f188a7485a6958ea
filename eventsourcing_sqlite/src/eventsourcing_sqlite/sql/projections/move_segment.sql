-- Move a segment, if it is where the worker left it and nobody has taken it since.
UPDATE eventsourcing_segments
SET
    position = :to_position,
    checkpoint_position = :to_checkpoint_position,
    checkpoint_event_id = :to_checkpoint_event_id
WHERE low = :low AND high = :high AND position = :position AND epoch = :epoch;
