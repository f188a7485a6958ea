-- The first number of the store's locks for boundaries, which have two: the second one is 0 for the lock
-- that every append shares, positive for a tag, and negative for a tag that somebody holds (see hold.sql).
-- The locks of two numbers are apart from those of one, which publish floors.
create or replace function {schema}.boundary_class_v1()
returns integer language sql volatile as $$
    select 1702035456 + {schema}.lock_class()::integer
$$;

comment on function {schema}.boundary_class_v1 is 'revision 1 for {schema_text}';
