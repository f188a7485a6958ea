-- Whether the sequence is as the migrations have made it, how far it has come (null for who may not
-- see it), and the highest position that is taken. Of a sequence the newest state is seen, of the
-- events those that were committed before the statement began: so while others append it is never
-- seen behind.
select
    seqtypid = 'bigint'::regtype and seqincrement = 1 and seqcache = 1
        and seqmax = 9223372036854775807 and not seqcycle as is_right,
    case when has_sequence_privilege(seqrelid, 'usage, select')
        then coalesce(pg_sequence_last_value(seqrelid), 0)
    end as drawn,
    (select coalesce(max(position), 0) from {schema}.events) as highest
from pg_catalog.pg_sequence
where seqrelid = '{schema_text}.events_position'::regclass
