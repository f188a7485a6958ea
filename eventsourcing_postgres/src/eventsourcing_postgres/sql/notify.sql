-- A notification need not outlive a crash, so nobody waits until it is on disk.
select set_config('synchronous_commit', 'off', true), pg_notify($1, '')
