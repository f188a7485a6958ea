-- The newest snapshot of $6 up to version $3, and what columns_forward.sql gives of stream $1, from its
-- version on, or above version $2 if there is none; up to $3, at most $4 rows, none of more than $5
-- bytes. Both in one trip, and of one moment.
with snapshot as materialized (
    select version, state, encoding, state_version, created_at
    from {schema}.snapshots
    where aggregate_id = $6 and version <= $3
    order by version desc
    limit 1
)
select snapshot.*, page.*
from (
    select
        count(*), max(bytes),
        min(version), max(version),
        string_agg(int8send(position), ''),
        string_agg(event_type, E'\n'),
        array_agg(case when bytes <= $5 then data end),
        case when count(metadata) > 0 then array_agg(case when bytes <= $5 then metadata end) end,
        string_agg(encoding, E'\n'),
        string_agg(uuid_send(event_id), ''),
        string_agg(int8send("timestamp"), ''),
        case when count(tags) > 0 then
            string_agg(coalesce(array_to_string(tags, E'\x1f'), ''), E'\n')
        end
    from (
        select
            version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags,
            octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
        from {schema}.events
        where stream_id = $1
          and version > coalesce((select snapshot.version - 1 from snapshot), $2)
          and version <= $3
        order by version
        limit $4
    ) as row
) as page
left join snapshot on true
