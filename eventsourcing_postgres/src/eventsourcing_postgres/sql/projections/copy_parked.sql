-- $1: the name of a projection; $2, $3: two versions of it. What is parked of the first one is parked of
-- the second one, too, and nothing else is. The caller has locked the segments of both.
with forgotten as (
    delete from {schema}.parked_keys as parked
    where name = $1 and version = $3
    and not exists (
        select from {schema}.parked_keys as source
        where source.name = $1 and source.version = $2 and source.key = parked.key
    )
), keys as (
    insert into {schema}.parked_keys (name, version, key, hash, attempts, error, next_try, wish)
    select name, $3, key, hash, attempts, error, next_try, wish
    from {schema}.parked_keys
    where name = $1 and version = $2
    on conflict (name, version, key) do update
    set attempts = excluded.attempts, error = excluded.error,
        next_try = excluded.next_try, wish = excluded.wish
), events as (
    delete from {schema}.parked_events as parked
    where name = $1 and version = $3
    and not exists (
        select from {schema}.parked_events as source
        where source.name = $1 and source.version = $2
        and source.key = parked.key and source.position = parked.position
    )
)
insert into {schema}.parked_events (name, version, key, position)
select name, $3, key, position
from {schema}.parked_events
where name = $1 and version = $2
on conflict do nothing
