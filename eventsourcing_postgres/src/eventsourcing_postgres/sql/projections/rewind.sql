-- $1, $2: a build; $3 to $5: the progress of all its segments from now on. No key is parked any more.
-- The caller has locked the segments.
with unparked as (
    delete from {schema}.parked_keys where name = $1 and version = $2
)
update {schema}.projection_segments
set position = $3, event_position = $4, event_id = $5, epoch = epoch + 1
where name = $1 and version = $2
