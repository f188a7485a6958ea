-- Let the next event of a key be due at once: it has not failed yet.
UPDATE eventsourcing_parked_keys
SET
    attempts = 0,
    error = '',
    next_try = (julianday('now') - 2440587.5) * 86400.0,
    wish = NULL
WHERE key = :key;
