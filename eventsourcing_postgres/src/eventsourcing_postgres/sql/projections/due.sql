-- $1, $2: a build; $3: so many keys at most; $4, $5: the lowest and the highest hashes of segments. The
-- parked keys in these that are due or wished for, those first that wait longest.
select
    {part parked_columns}
from {schema}.parked_keys as keys
where name = $1 and version = $2
  and (next_try <= clock_timestamp() or wish is not null)
  and exists (
    select from unnest($4::integer[], $5::integer[]) as segments (low, high)
    where hash between low and high
  )
order by next_try nulls first, hash, key
limit $3
