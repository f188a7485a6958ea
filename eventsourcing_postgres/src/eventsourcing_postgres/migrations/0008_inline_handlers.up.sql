-- A handler of an inline projection that commits the append which it is called in would store events
-- without what belongs to them. As with batches (see 0005_projections.up.sql) a trigger refuses that: while
-- a handler runs, the setting eventsourcing.batch has the number of the server's process, and the row of
-- that process has been touched, so the trigger fires at the commit.
--
-- There is a row for each process that has ever run such a handler, so nobody waits for another one. What
-- is in it means nothing, and may be lost.
create unlogged table {schema}.inline_handlers (
    low integer primary key,  -- the process; the names are those that the function knows
    name text collate "C" not null default '',
    version bigint not null default 0,
    position bigint not null default 0
) with (fillfactor = 50);

create constraint trigger refuse_commit_of_append
after insert or update of position on {schema}.inline_handlers
deferrable initially deferred
for each row execute function {schema}.refuse_commit_of_batch();
