-- After an append in a transaction that its caller has opened: his own lock_timeout holds again.
select set_config('lock_timeout', current_setting('eventsourcing.lock_timeout'), true);
release savepoint eventsourcing_append;
