-- The highest position that was ever given, to an append that was rolled back, too. Where the sequence is
-- behind, the events say so. Null if it cannot be told: on a standby, which may not have got so far, and
-- to a role that may not see the sequence.
select case when not pg_is_in_recovery() and has_sequence_privilege(drawn.id, 'select') then greatest(
    coalesce(pg_sequence_last_value(drawn.id), 0),
    (select max(position) from {schema}.events)
) end
from (values ('{schema_text}.events_position'::regclass)) as drawn (id)
