-- $1, $2: a build; $3, $4: a key and its hash; $5: what its first event failed with; $6: seconds until
-- that is tried again; null: it is given up; $7: the positions of events. A key that is parked keeps
-- error and time.
with parked as (
    insert into {schema}.parked_keys (name, version, key, hash, attempts, error, next_try)
    values ($1, $2, $3, $4, 1, $5, clock_timestamp() + make_interval(secs => $6))
    on conflict (name, version, key) do nothing
)
insert into {schema}.parked_events (name, version, key, position)
select $1, $2, $3, position from unnest($7::bigint[]) as given (position)
