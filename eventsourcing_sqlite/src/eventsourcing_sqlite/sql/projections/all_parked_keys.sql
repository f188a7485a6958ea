SELECT key, hash, attempts, error, next_try, wish FROM eventsourcing_parked_keys
