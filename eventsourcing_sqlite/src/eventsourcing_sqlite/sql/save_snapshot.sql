-- Keep a snapshot; the same version is replaced.
INSERT INTO snapshots (aggregate_id, version, state, encoding, state_version, created_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (aggregate_id, version) DO UPDATE SET
    state = excluded.state,
    encoding = excluded.encoding,
    state_version = excluded.state_version,
    created_at = excluded.created_at;
