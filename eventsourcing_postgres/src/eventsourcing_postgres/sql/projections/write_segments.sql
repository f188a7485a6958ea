-- $1, $2: a build; $3 to $8: the columns of segments, but for the schema, which the
-- registry tells. They replace those of the same lowest hash.
insert into {schema}.projection_segments
    (name, version, low, high, position, event_position, event_id, epoch, own_schema)
select
    $1, $2, low, high, position, event_position, event_id, epoch,
    (
        select case when kind <> 'reactor' then
            replace(name, '-', '_') || case when state = 'live' then '' else '_v' || version end
        end
        from {schema}.projections
        where name = $1 and version = $2
    )
from unnest($3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::uuid[], $8::bigint[])
    as given (low, high, position, event_position, event_id, epoch)
on conflict (name, version, low) do update
set
    high = excluded.high,
    position = excluded.position,
    event_position = excluded.event_position,
    event_id = excluded.event_id,
    epoch = excluded.epoch,
    own_schema = excluded.own_schema
