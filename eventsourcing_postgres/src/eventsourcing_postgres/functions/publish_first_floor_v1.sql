-- Publish the floor in the transaction of a caller that may append in it again: it has published a
-- lower one then, unless a savepoint took it back, together with the setting that says so. Gives true.
create or replace function {schema}.publish_first_floor_v1()
returns boolean language plpgsql volatile as $$
declare
    -- By the sequence's own id: two stores may share a lock class.
    published text :=
        'eventsourcing.floor_' || '{schema_text}.events_position'::regclass::oid::text;
begin
    if coalesce(current_setting(published, true), '') = '' then
        perform pg_advisory_xact_lock_shared({schema}.floor_key_v1());
        perform set_config(published, 'yes', true);
    end if;
    return true;
end
$$;

comment on function {schema}.publish_first_floor_v1 is 'revision 1 for {schema_text}';
