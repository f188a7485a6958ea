-- $1, $2: a build. How many parked keys its segments have, those that have any; if none has, one row
-- without a segment. No row if there is no such build.
select counted.low, counted.keys
from {schema}.projections as builds
left join lateral (
    select low, count(*) as keys
    from {schema}.projection_segments as segments
    join {schema}.parked_keys as parked using (name, version)
    where name = builds.name and version = builds.version
      and parked.hash between segments.low and segments.high
    group by low
) as counted on true
where builds.name = $1 and builds.version = $2
order by counted.low
