-- $1, $2: a build; $3: an owner; $4: how many segments it takes at most; $5: what it last failed with;
-- $6: for how many seconds from now it is a worker. Workers that are not alive any more go, and what they have claimed goes with them.
-- The caller has locked the build.
with gone as (
    delete from {schema}.projection_workers
    where name = $1 and version = $2 and owner <> $3 and until <= clock_timestamp()
)
insert into {schema}.projection_workers (name, version, owner, max_segments, last_error, until)
values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
on conflict (name, version, owner) do update
set
    max_segments = excluded.max_segments,
    last_error = excluded.last_error,
    until = excluded.until
