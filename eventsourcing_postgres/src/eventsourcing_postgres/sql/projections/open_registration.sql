-- From here to the last statement of a registration (close_batch.sql) nobody commits it, as in move.sql:
-- each build has a segment whose lowest hash is 0.
select set_config('eventsourcing.batch', '0', true)
