-- Say that a worker is alive, and all its claims with it: one row, however many they are.
INSERT INTO projection_workers (name, version, owner, until, most, last_error)
SELECT
    name, version, :owner, (julianday('now') - 2440587.5) * 86400.0 + :lease, :limit, :last_error
FROM projections
WHERE name = :name AND version = :version
ON CONFLICT (name, version, owner) DO UPDATE SET
    until = excluded.until,
    most = excluded.most,
    last_error = excluded.last_error;
