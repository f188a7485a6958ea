-- Hold one more tag in a transaction that holds some, until hold_beside_end. {key}: as in hold.sql.
savepoint eventsourcing_hold;
select pg_advisory_xact_lock({schema}.boundary_class_v1(), {key});
