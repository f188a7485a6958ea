-- Before an append in a transaction that its caller has opened: what fails from here on is taken back
-- alone, and no lock is waited for longer than so many milliseconds, or than the caller himself
-- allows. What he has set is kept for savepoint_release; savepoint_rollback restores it by itself.
savepoint eventsourcing_append;
select set_config('eventsourcing.lock_timeout', current_setting('lock_timeout'), true);
select set_config(
    'lock_timeout',
    least(
        nullif(extract(epoch from current_setting('lock_timeout')::interval) * 1000, 0),
        {milliseconds}
    )::bigint::text,
    true
);
