-- $1, $2: a build; $3: the lowest hashes of segments, or null for all. Waits for the batches of these
-- segments, and keeps others out until the transaction ends. All who lock several do it in this order,
-- so no two of them wait for each other.
select low
from {schema}.projection_segments
where name = $1 and version = $2 and ($3::integer[] is null or low = any ($3))
order by low
for no key update
