-- $1: a position; $2: the highest one that counts. Whether there is an event above $1, and whether it
-- is the very next one; and whether the sequence has come to $1 (see given.sql).
select
    exists (select from {schema}.events where position > $1 and position <= $2),
    exists (select from {schema}.events where position = $1 + 1),
    (
        select case when has_sequence_privilege(drawn.id, 'select')
            then $1 <= coalesce(pg_sequence_last_value(drawn.id), 0)
        end
        from (values ('{schema_text}.events_position'::regclass)) as drawn (id)
    )
