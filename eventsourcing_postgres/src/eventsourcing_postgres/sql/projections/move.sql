-- The first statement of a batch. $1, $2: a build; $3 to $5: the lowest hashes, the epochs and the
-- positions of segments; $6 to $8: the progress they are moved to; $9: milliseconds that the process may
-- be silent. Gives how many were moved, and the schema of the build, in which names without one are
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
    join unnest($3::integer[], $4::bigint[], $5::bigint[]) as known (low, epoch, position)
        using (low, epoch, position)
    where segments.name = $1 and segments.version = $2
    order by segments.low
    for no key update of segments
), moved as (
    update {schema}.projection_segments as segments
    set position = $6, event_position = $7, event_id = $8
    from locked
    where segments.name = $1 and segments.version = $2 and segments.low = locked.low
    returning 1
), found as (
    select
        (select count(*) from moved) as moved,
        (select max(own_schema) from locked) as own_schema,
        (select min(low) from locked) as lowest
    from {schema}.projections
    where name = $1 and version = $2
)
select
    moved,
    own_schema,
    set_config(
        'search_path',
        concat_ws(', ', quote_ident(own_schema), nullif(current_setting('search_path'), '')),
        true
    ),
    set_config(
        'idle_in_transaction_session_timeout',
        least(
            nullif(extract(
                epoch from current_setting('idle_in_transaction_session_timeout')::interval
            ) * 1000, 0),
            $9::bigint
        )::bigint::text,
        true
    ),
    set_config('eventsourcing.batch', coalesce(lowest::text, 'nothing'), true)
from found
