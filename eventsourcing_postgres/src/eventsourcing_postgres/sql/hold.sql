-- Begin a transaction that holds a tag until it ends, in one round trip. {key}: the number of the tag,
-- negative, since the positive ones are locked by appends.
begin isolation level read committed;
set local lock_timeout = {milliseconds};
select pg_advisory_xact_lock({schema}.boundary_class_v1(), {key});
