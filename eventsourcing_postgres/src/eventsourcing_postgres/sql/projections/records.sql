-- $1: the name of a projection, or null. What is stored of its builds, or of all.
select
    name, version, kind, class_name, indexes, state, is_paused,
    coalesce(switching_until > clock_timestamp(), false) as is_switching,
    wanted_segments, inline_from, event_types
from {schema}.projections
where $1::text is null or name = $1
order by name, version
