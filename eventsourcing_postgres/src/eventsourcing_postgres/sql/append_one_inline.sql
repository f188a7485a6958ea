-- As append_one.sql; $10: what the transaction applies to inline projections, which the trigger of the
-- events asks for: it is said before the function runs, since there is no row for it before.
select
    {schema}.append_one_v1($1, $2, $3::text::uuid, $4, $5, $6, $7, $8, $9),
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from (select set_config('eventsourcing.inline', $10, true) as applied offset 0) as said
where applied is not null
