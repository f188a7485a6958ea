-- The last statement of a batch, and of a registration: from here on it may be committed. No row if the
-- transaction is not the one that move.sql or open_registration.sql was run in.
select set_config('eventsourcing.batch', '', true)
where current_setting('eventsourcing.batch', true) <> ''
