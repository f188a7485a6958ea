-- $1: an aggregate; $2: the highest version, or null.
select aggregate_id, version, state, encoding, state_version, created_at
from {schema}.snapshots
where aggregate_id = $1 and ($2::bigint is null or version <= $2)
order by version desc
limit 1
