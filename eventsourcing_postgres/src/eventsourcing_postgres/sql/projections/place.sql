-- $1: a name of a schema. Whether the server is a standby, who asks, which database it is, whether a
-- schema can be made there, and whether there is one of that name.
select
    pg_is_in_recovery(), current_user::text, current_database()::text,
    has_database_privilege(current_database(), 'create'),
    exists (select from pg_catalog.pg_namespace where nspname = $1)
