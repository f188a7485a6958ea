-- Advance a stream by so many events: its new version, or null if it is not at the expected one, which
-- is a version, or -1: any, or -2: the stream exists. From here on no other append to the stream can
-- draw a position, so in a stream positions rise as versions do.
create or replace function {schema}.advance_v1(stream_id text, expected bigint, size integer)
returns bigint language plpgsql volatile as $$
declare
    reached bigint;
begin
    case expected
        when 0 then
            insert into {schema}.streams as s (id, version) values (stream_id, size)
            on conflict do nothing
            returning s.version into reached;
        when -1 then
            insert into {schema}.streams as s (id, version) values (stream_id, size)
            on conflict (id) do update set version = s.version + excluded.version
            returning s.version into reached;
        when -2 then
            update {schema}.streams as s set version = s.version + size
            where s.id = stream_id
            returning s.version into reached;
        else
            update {schema}.streams as s set version = s.version + size
            where s.id = stream_id and s.version = expected
            returning s.version into reached;
    end case;
    return reached;
end
$$;

comment on function {schema}.advance_v1 is 'revision 1 for {schema_text}';
