-- $1, $2: a build. What is stored of it, its segments with who has claimed them, and the workers that
-- are alive. In one statement: all must be of one moment.
with this_moment as materialized (
    select clock_timestamp() as now
), workers as (
    select owner, max_segments, last_error
    from {schema}.projection_workers, this_moment
    where name = $1 and version = $2 and until > now
), segments as (
    select low, high, position, event_position, event_id, epoch, workers.owner
    from {schema}.projection_segments as segments
    left join {schema}.projection_claims as claims using (name, version, low)
    left join workers on workers.owner = claims.owner
    where name = $1 and version = $2
)
select
    name, version, kind, class_name, indexes, state, is_paused,
    coalesce(switching_until > now, false) as is_switching,
    wanted_segments, inline_from, event_types,
    (
        select json_agg(json_build_array(
            low, high, position, event_position, event_id, epoch, owner
        ) order by low)
        from segments
    ) as segments,
    (
        select json_agg(json_build_array(owner, max_segments, last_error) order by owner)
        from workers
    ) as workers
from {schema}.projections, this_moment
where name = $1 and version = $2
