-- $1, $2: a build; $3: the stored names of the events that it is given, or null for all. They are noted if
-- an earlier release has registered it, which told none.
update {schema}.projections set event_types = $3::text[]
where name = $1 and version = $2 and event_types = '{}'
