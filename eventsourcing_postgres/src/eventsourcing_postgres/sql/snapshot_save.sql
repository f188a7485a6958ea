-- $1 to $6: the fields of the snapshot. The same version is replaced.
-- $7: how many of the aggregate's newest snapshots stay; all of them if null.
-- The parts of one statement see the table as it was before: so the new version is counted beside
-- those that are there, and it is not written if it is too old to stay. What another transaction
-- writes at this moment is not seen and stays: there may be more than $7 until the next save.
with kept as (
    select version from {schema}.snapshots where aggregate_id = $1
    union
    select $2
    order by version desc
    limit $7
), saved as (
    insert into {schema}.snapshots
        (aggregate_id, version, state, encoding, state_version, created_at)
    select $1, $2, $3, $4, $5, $6
    where $2 in (select version from kept)
    on conflict (aggregate_id, version) do update set
        state = excluded.state,
        encoding = excluded.encoding,
        state_version = excluded.state_version,
        created_at = excluded.created_at
)
delete from {schema}.snapshots
where aggregate_id = $1 and version < (select min(version) from kept)
