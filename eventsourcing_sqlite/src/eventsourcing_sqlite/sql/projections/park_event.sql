-- Let an event wait.
INSERT OR IGNORE INTO eventsourcing_parked_events (key, position) VALUES (?, ?);
