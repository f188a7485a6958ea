-- $1, $2: a build; $3: a parked key; $4: a position. Its events up to there do not wait any more. If
-- there are others, the first of them is due, and has not failed; else the key is not parked any more.
with gone as (
    delete from {schema}.parked_events
    where name = $1 and version = $2 and key = $3 and position <= $4
), kept as (
    update {schema}.parked_keys
    set attempts = 0, error = '', next_try = clock_timestamp(), wish = null
    where name = $1 and version = $2 and key = $3 and exists (
        select from {schema}.parked_events
        where name = $1 and version = $2 and key = $3 and position > $4
    )
)
delete from {schema}.parked_keys
where name = $1 and version = $2 and key = $3 and not exists (
    select from {schema}.parked_events
    where name = $1 and version = $2 and key = $3 and position > $4
)
