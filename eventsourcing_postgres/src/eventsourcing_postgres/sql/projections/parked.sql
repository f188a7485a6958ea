-- $1, $2: a build; $3: so many keys at most; $4: a position that an event of theirs waits at, or null.
-- Its parked keys, by hash and key.
select
    key, hash,
    array(
        select position from {schema}.parked_events as events
        where events.name = $1 and events.version = $2 and events.key = keys.key
        order by position
        limit 1000
    ) as positions,
    (
        select count(*) from {schema}.parked_events as events
        where events.name = $1 and events.version = $2 and events.key = keys.key
    ) as waiting,
    attempts, error,
    coalesce(next_try <= clock_timestamp(), false) as is_due,
    wish,
    next_try is null as is_given_up
from {schema}.parked_keys as keys
where name = $1 and version = $2 and ($4::bigint is null or key in (
    select key from {schema}.parked_events
    where name = $1 and version = $2 and position = $4
))
order by hash, key
limit $3
