-- Keep a segment; an older one with the same low is replaced.
REPLACE INTO eventsourcing_segments (
    low, high, position, checkpoint_position, checkpoint_event_id, epoch
)
VALUES (?, ?, ?, ?, ?, ?);
