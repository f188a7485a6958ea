-- Whether the sequence is behind the events (see sequence.sql): here it keeps no append waiting. The
-- highest position is the end of an index; whether there is any above a number may be a scan of all. And a
-- notification need not outlive a crash, so nobody waits until it is on disk.
select
    coalesce((select max(position) from {schema}.events), 0)
        > coalesce(pg_sequence_last_value('{schema_text}.events_position'::regclass), 0),
    set_config('synchronous_commit', 'off', true),
    pg_notify($1, '')
