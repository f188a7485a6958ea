-- The floors that are published now: one row per append under way, in this store.
create view {schema}.floors as
select
    locks.pid,
    ((locks.classid::bigint & 65535) << 32) | locks.objid::bigint as floor
from pg_catalog.pg_locks as locks
where locks.locktype = 'advisory'
  and locks.mode = 'ShareLock'
  and locks.granted
  and locks.objsubid = 1
  and locks.classid::bigint >> 16 = {schema}.lock_class()
  and locks.database = (select oid from pg_catalog.pg_database where datname = current_database());

-- Who is appending now, and above which position.
create view {schema}.appenders as
select
    floors.pid,
    floors.floor,
    activity.xact_start as since,
    activity.state,
    activity.application_name
from {schema}.floors
left join pg_catalog.pg_stat_activity as activity on activity.pid = floors.pid;

-- The position up to which nothing is in flight any more: every event at or below it is visible
-- to a statement that begins after this function returned, or will never be.
--
-- A position at or below the result was drawn after its writer took a lock with a lower floor.
-- That lock was gone in the second statement (else the result were lower), and a commit is visible
-- before its locks are released. So this function must be VOLATILE, with two statements that look
-- in this order, and the caller must read the events in a statement of its own afterwards.
create function {schema}.horizon() returns bigint language plpgsql volatile as $$
declare
    drawn bigint;
    lowest bigint;
begin
    if pg_is_in_recovery() then  -- the locks are on the primary
        raise exception 'a standby cannot tell which appends are in flight'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Read all streams from the primary.';
    end if;

    select case when is_called then last_value else 0 end into drawn
    from {schema}.events_position;

    select min(floor) into lowest from {schema}.floors;

    return least(drawn, lowest);
end
$$;
