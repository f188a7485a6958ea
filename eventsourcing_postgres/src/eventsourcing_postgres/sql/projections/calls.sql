-- The builds that somebody should do something for: a segment that nobody has claimed, or whose worker
-- is not alive, or a parked key that is due, or that somebody has a wish for.
select name, version
from {schema}.projections as builds
where not is_paused and inline_from is null
  and (switching_until is null or switching_until <= clock_timestamp())
  and (kind <> 'reactor' or state = 'live')
  and (
    exists (
        select from {schema}.projection_segments as segments
        where segments.name = builds.name and segments.version = builds.version
          and not exists (
            select
            from {schema}.projection_claims as claims
            join {schema}.projection_workers as workers using (name, version, owner)
            where claims.name = segments.name and claims.version = segments.version
              and claims.low = segments.low and workers.until > clock_timestamp()
          )
    )
    or exists (
        select from {schema}.parked_keys as parked
        where parked.name = builds.name and parked.version = builds.version
          and parked.next_try <= clock_timestamp()
    )
    or exists (
        select from {schema}.parked_keys as parked
        where parked.name = builds.name and parked.version = builds.version
          and parked.wish is not null
    )
  )
