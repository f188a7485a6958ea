-- $1: an aggregate; $2: the highest version.
select aggregate_id, version, state, encoding, state_version, created_at
from {schema}.snapshots
where aggregate_id = $1 and version <= $2
order by version desc
limit 1
