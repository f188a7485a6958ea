-- $1, $2: what search_path and eventsourcing.batch were before the handler of a projection. No row if the
-- transaction is not the one that inline_enter.sql was run in.
select set_config('search_path', $1, true), set_config('eventsourcing.batch', $2, true)
where current_setting('eventsourcing.batch', true) = pg_backend_pid()::text
