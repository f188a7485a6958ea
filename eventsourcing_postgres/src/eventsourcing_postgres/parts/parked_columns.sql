-- What is told of parked keys; $1, $2: the build.
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
