-- What the store holds: events, streams, the last position, the bytes of data and metadata, those on the
-- disk, and the names of the event types with the number of events of each.
-- One statement, so one snapshot, in which the two tables go with each other. The length of bytes that
-- are kept apart from their row is known without reading them.
with types as (
    select
        event_type,
        count(*) as events,
        max(position) as last_position,
        sum(octet_length(data) + coalesce(octet_length(metadata), 0)) as bytes
    from {schema}.events
    group by event_type
)
select
    coalesce(sum(events), 0)::bigint,
    (select count(*) from {schema}.streams),
    coalesce(max(last_position), 0),
    coalesce(sum(bytes), 0)::bigint,
    (
        select sum(pg_total_relation_size(relation))::bigint
        from unnest(array[
            '{schema_text}.streams', '{schema_text}.events',
            '{schema_text}.snapshots', '{schema_text}.schema_migrations'
        ]::regclass[]) as relation
    ),
    coalesce(array_agg(event_type), array[]::text[]),
    coalesce(array_agg(events), array[]::bigint[])
from types
