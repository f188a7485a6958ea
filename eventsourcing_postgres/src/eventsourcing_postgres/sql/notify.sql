-- $1: a channel. Nothing is lost with the notification but a moment, so the disk need not be waited for.
select set_config('synchronous_commit', 'off', true), pg_notify($1, '')
