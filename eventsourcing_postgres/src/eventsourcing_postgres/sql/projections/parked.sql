-- $1, $2: a build; $3: so many keys at most; $4: a position that an event of theirs waits at, or null.
-- Its parked keys, by hash and key.
select
    {part parked_columns}
from {schema}.parked_keys as keys
where name = $1 and version = $2 and ($4::bigint is null or key in (
    select key from {schema}.parked_events
    where name = $1 and version = $2 and position = $4
))
order by hash, key
limit $3
