-- After an append that failed in a transaction that its caller has opened: the transaction is as it was
-- before it, and so are its settings.
rollback to savepoint eventsourcing_append;
release savepoint eventsourcing_append;
