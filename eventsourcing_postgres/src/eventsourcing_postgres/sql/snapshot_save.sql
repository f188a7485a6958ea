-- $1 to $6: the fields of the snapshot. The same version is replaced.
insert into {schema}.snapshots (aggregate_id, version, state, encoding, state_version, created_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (aggregate_id, version) do update set
    state = excluded.state,
    encoding = excluded.encoding,
    state_version = excluded.state_version,
    created_at = excluded.created_at
