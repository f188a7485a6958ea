-- $1, $2: a build; $3: a parked key; $4: what its first event has failed with once more; $5: seconds
-- until it is tried again; null: it is given up. A wish to skip it stays: it was made meanwhile.
update {schema}.parked_keys
set
    attempts = attempts + 1,
    error = $4,
    next_try = clock_timestamp() + make_interval(secs => $5),
    wish = case when wish = 'skip' then wish end
where name = $1 and version = $2 and key = $3
