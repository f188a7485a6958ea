-- $1: the name of a projection; $2: a version, or null for all. What is stored of these builds, which
-- nobody else changes until the transaction ends. Rows that point to them can be added meanwhile: a
-- batch that parks a key does not wait.
select
    name, version, kind, class_name, indexes, state, is_paused,
    coalesce(switching_until > clock_timestamp(), false) as is_switching,
    wanted_segments, inline_from, event_types
from {schema}.projections
where name = $1 and ($2::bigint is null or version = $2)
order by version
for no key update
