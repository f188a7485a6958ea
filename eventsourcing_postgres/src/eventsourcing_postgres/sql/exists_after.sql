-- $1: a position; $2: the highest one that counts. Whether there is an event above $1, and whether it
-- is the very next one; whether the sequence is behind the events (see sequence.sql and notify.sql); and
-- whether it has come to $1 (see given.sql).
select
    exists (select from {schema}.events where position > $1 and position <= $2),
    exists (select from {schema}.events where position = $1 + 1),
    coalesce((select max(position) from {schema}.events), 0) > drawn.last,
    $1 <= drawn.last
from (
    select case when has_sequence_privilege(seqrelid, 'usage, select')
        then coalesce(pg_sequence_last_value(seqrelid), 0)
    end
    from (values ('{schema_text}.events_position'::regclass)) as sequence (seqrelid)
) as drawn (last)
