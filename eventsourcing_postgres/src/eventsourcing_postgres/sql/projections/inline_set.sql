-- $1, $2: a build; $3: whether appends apply their events to it from now on, or it follows. The caller
-- has locked it with its segments, and keeps everybody from inserting events: so all segments are set
-- to the last one, and whoever knew them moves them no more. Gives a row if it is registered.
with last as (
    select position, event_id from {schema}.events order by position desc limit 1
), moved as (
    update {schema}.projection_segments
    set
        position = coalesce((select position from last), 0),
        event_position = (select position from last),
        event_id = (select event_id from last),
        epoch = epoch + 1
    where name = $1 and version = $2
), unclaimed as (
    delete from {schema}.projection_claims where name = $1 and version = $2
)
update {schema}.projections
set inline_from = case when $3 then coalesce((select position from last), 0) end
where name = $1 and version = $2
returning name
