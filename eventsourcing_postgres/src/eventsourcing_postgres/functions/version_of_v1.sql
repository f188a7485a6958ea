-- The version of a stream; 0 if it is not there.
create or replace function {schema}.version_of_v1(stream_id text)
returns bigint language sql volatile as $$
    select coalesce((select s.version from {schema}.streams as s where s.id = stream_id), 0)
$$;

comment on function {schema}.version_of_v1 is 'revision 1 for {schema_text}';
