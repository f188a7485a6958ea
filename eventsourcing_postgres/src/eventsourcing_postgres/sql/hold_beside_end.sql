-- Give back the tag that was taken last beside others: a savepoint that is rolled back gives its locks back.
rollback to savepoint eventsourcing_hold;
release savepoint eventsourcing_hold;
