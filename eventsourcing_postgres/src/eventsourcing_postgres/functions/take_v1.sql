-- Take a stream for an append: advance it by so many events, as advance_v1 does, or, if there are none,
-- require that it is at the expected version, and keep it there until the transaction ends. Gives its
-- version, or null if it is not there.
--
-- A stream that is required not to be there gets a row of version 0, so that whoever begins it waits. The
-- caller deletes that row in the same transaction: nobody else ever sees it.
create or replace function {schema}.take_v1(stream_id text, expected bigint, size integer)
returns bigint language plpgsql volatile as $$
declare
    reached bigint;
begin
    if size > 0 then
        reached := {schema}.advance_v1(stream_id, expected, size);
        return reached;
    end if;

    if expected = 0 then
        insert into {schema}.streams as s (id, version) values (stream_id, 0) on conflict do nothing;
    end if;
    select s.version into reached from {schema}.streams as s
    where s.id = stream_id and s.version = expected
    for share;
    return reached;
end
$$;

comment on function {schema}.take_v1 is 'revision 1 for {schema_text}';
