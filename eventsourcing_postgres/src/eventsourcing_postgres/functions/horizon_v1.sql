-- The position up to which nothing is in flight any more: every event at or below it is visible
-- to a statement that begins after this function returned, or will never be.
--
-- A position at or below the result was drawn after its writer took a lock with a lower floor.
-- That lock was gone in the second statement (else the result would be lower), and a commit is visible
-- before its locks are released. So this function must be VOLATILE, with two statements that look
-- in this order, and the caller must read the events in a statement of its own afterwards.
create or replace function {schema}.horizon_v1()
returns bigint language plpgsql volatile as $$
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

comment on function {schema}.horizon_v1 is 'revision 1 for {schema_text}';
