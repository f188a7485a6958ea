-- Park a key; one that is parked keeps its error and its time.
--   :retry_in   seconds; NULL: it is given up
INSERT INTO eventsourcing_parked_keys (key, hash, attempts, error, next_try)
VALUES (
    :key, :hash, 1, :error, (julianday('now') - 2440587.5) * 86400.0 + :retry_in
)
ON CONFLICT (key) DO NOTHING;
