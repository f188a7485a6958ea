SELECT key, position FROM eventsourcing_parked_events
