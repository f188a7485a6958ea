-- $1, $2: a build. How many parked keys its segments have, those that have any.
select low, count(*)
from {schema}.projection_segments
join {schema}.parked_keys using (name, version)
where name = $1 and version = $2 and hash between low and high
group by low
order by low
