-- Whether the sequence is behind the events (see sequence.sql): here it keeps no append waiting. And a
-- notification need not outlive a crash, so nobody waits until it is on disk.
select
    exists (
        select from {schema}.events
        where position > (
            select coalesce(pg_sequence_last_value('{schema_text}.events_position'::regclass), 0)
        )
    ),
    set_config('synchronous_commit', 'off', true),
    pg_notify($1, '')
