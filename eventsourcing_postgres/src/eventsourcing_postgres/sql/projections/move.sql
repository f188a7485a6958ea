-- The first statement of a batch. $1: milliseconds that the process may be silent; $2, $3: a build; $4 to
-- $6: the lowest hashes, the epochs and the positions of segments; $7 to $9: the progress they are moved
-- to. Gives how many were moved, and the schema of the build, in which names without one are
-- looked up first, until the transaction ends; no row if there is no such build.
--
-- Why that is the schema it has until then: a switch, which renames it, locks all segments of the build
-- before that, and writes the new name into them. If this statement finds them locked, it waits, and
-- then reads them as the switch has left them. If it locks them first, the switch waits for the batch.
--
-- The segments are locked in the order that everybody keeps (see lock_segments.sql). The part "moved"
-- finds them as they are after that.
--
-- The setting eventsourcing.batch has the first lowest hash from here to the last statement of the batch
-- (close_batch.sql). The trigger of that segment refuses a commit while it does.
with locked as (
    select segments.low, segments.own_schema
    from {schema}.projection_segments as segments
    join unnest($4::integer[], $5::bigint[], $6::bigint[]) as known (low, epoch, position)
        using (low, epoch, position)
    where segments.name = $2 and segments.version = $3
    order by segments.low
    for no key update of segments
), moved as (
    update {schema}.projection_segments as segments
    set position = $7, event_position = $8, event_id = $9
    from locked
    where segments.name = $2 and segments.version = $3 and segments.low = locked.low
    returning 1
), found as (
    select
        (select count(*) from moved) as moved,
        (select max(own_schema) from locked) as own_schema,
        (select min(low) from locked) as lowest
    from {schema}.projections
    where name = $2 and version = $3
)
select
    moved,
    own_schema,
    set_config(
        'search_path',
        concat_ws(', ', quote_ident(own_schema), nullif(current_setting('search_path'), '')),
        true
    ),
    {part silence},
    set_config('eventsourcing.batch', coalesce(lowest::text, 'nothing'), true)
from found
