-- The key of the lock that publishes the floor of a transaction: every position that it draws after
-- taking the lock will be above it. The lock is shared, so it waits for no other append, only for a
-- stranger that holds it alone; and it is released only after the commit is visible.
--
-- In "sql", as every function of one expression, and called in assignments: an expression takes less
-- time than a statement, or a call.
create or replace function {schema}.floor_key_v1()
returns bigint language sql volatile as $$
    select ({schema}.lock_class() << 48)
        | coalesce(pg_sequence_last_value('{schema_text}.events_position'), 0)
$$;

comment on function {schema}.floor_key_v1 is 'revision 1 for {schema_text}';
