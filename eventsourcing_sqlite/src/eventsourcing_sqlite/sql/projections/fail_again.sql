-- Note that the first event of a key has failed once more. A wish to skip it stays: it was made
-- meanwhile.
--   :retry_in   seconds; NULL: it is given up
UPDATE eventsourcing_parked_keys
SET
    attempts = attempts + 1,
    error = :error,
    next_try = (julianday('now') - 2440587.5) * 86400.0 + :retry_in,
    wish = CASE WHEN wish = 'skip' THEN wish END
WHERE key = :key;
