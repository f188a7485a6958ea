-- Builds with their claims and workers that are alive, by SQLite's own clock.
--   :name      NULL: all
--   :version   NULL: all of the name
SELECT
    name, version, kind, class_name, indexes, state, is_paused,
    coalesce(switching_until > (julianday('now') - 2440587.5) * 86400.0, 0),
    wanted_segments, inline_from, event_types, file, file_id,
    (
        SELECT json_group_array(json_array(claims.low, claims.owner))
        FROM projection_claims AS claims
        JOIN projection_workers AS workers USING (name, version, owner)
        WHERE
            claims.name = projections.name AND claims.version = projections.version
            AND workers.until > (julianday('now') - 2440587.5) * 86400.0
    ),
    (
        SELECT json_group_array(json_array(owner, most, last_error))
        FROM projection_workers AS workers
        WHERE
            workers.name = projections.name AND workers.version = projections.version
            AND workers.until > (julianday('now') - 2440587.5) * 86400.0
    )
FROM projections
WHERE (:name IS NULL OR name = :name) AND (:version IS NULL OR version = :version)
ORDER BY name, version;
