-- As ../append_inline.sql, and then, in the same round trip, as view_lock.sql; $15: its patience;
-- $16: its keys. Its rows come after those of the appends: so a key is begun or locked when all streams
-- are, and whoever appends takes both in this order.
with said as materialized (
    select set_config('eventsourcing.inline', $14, true) as applied
), appended as materialized (
    select stream_version, last_position
    from said, lateral {schema}.append_v2(
        {part append_arguments},
        $13 and applied is not null
    )
), patience as materialized (
    select set_config('lock_timeout', $15, true) as waits
    from (select count(*) as appends from appended) as done
    where appends > 0
), made as (
    insert into {view} (key, value)
    select key, 'null'
    from patience, unnest($16::text[]) with ordinality as given (key, number)
    where waits <> ''
    order by number
    on conflict (key) do nothing
    returning key
), locked as (
    select key, value::text
    from {view} as view, patience
    where key = any ($16) and waits <> ''
    order by key
    for no key update of view
)
select
    stream_version, last_position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited,
    null as key, null as value
from appended
union all
select null, null, null, key, null from made
union all
select null, null, null, key, value from locked
