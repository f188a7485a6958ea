-- $1, $2: a build; $3: so many keys at most; $4, $5: the lowest and the highest hashes of segments. The
-- parked keys in these that are due or wished for, those first that wait longest.
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
where name = $1 and version = $2
  and (next_try <= clock_timestamp() or wish is not null)
  and exists (
    select from unnest($4::integer[], $5::integer[]) as segments (low, high)
    where hash between low and high
  )
order by next_try nulls first, hash, key
limit $3
