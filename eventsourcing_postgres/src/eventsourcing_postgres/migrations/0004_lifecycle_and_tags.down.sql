create or replace function {schema}.lock_class() returns bigint language sql stable as $$
    select 1 + '{schema_text}.events_position'::regclass::oid::bigint % 65535
$$;

drop view {schema}.readable_events;
alter table {schema}.events drop column tags;
alter table {schema}.streams
    drop column first_version,
    drop column deleted_at,
    drop column archived_at;

create view {schema}.readable_events as
select
    position, stream_id, version, event_type, event_id,
    timestamptz 'epoch' + "timestamp" / 1000000 * interval '1 second'
        + "timestamp" % 1000000 * interval '1 microsecond' as happened_at,
    encoding, data, metadata
from {schema}.events;

-- Of the owner that it had: whoever takes a migration back need not be the one who applies it again.
do $$
begin
    execute format('alter view {schema}.readable_events owner to %s', (
        select relowner::regrole from pg_class where oid = '{schema_text}.events'::regclass
    ));
end
$$;
