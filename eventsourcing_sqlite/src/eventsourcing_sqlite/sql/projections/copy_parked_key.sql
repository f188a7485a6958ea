INSERT INTO eventsourcing_parked_keys (key, hash, attempts, error, next_try, wish)
VALUES (?, ?, ?, ?, ?, ?)
