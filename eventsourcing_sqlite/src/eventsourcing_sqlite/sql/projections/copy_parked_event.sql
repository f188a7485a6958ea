INSERT INTO eventsourcing_parked_events (key, position) VALUES (?, ?)
