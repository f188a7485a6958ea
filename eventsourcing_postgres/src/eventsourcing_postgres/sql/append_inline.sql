-- As append.sql; $14: what the transaction applies to inline projections, which the trigger of the events
-- asks for: it is said before the function runs, since an argument of that depends on it.
select
    stream_version, last_position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from
    (select set_config('eventsourcing.inline', $14, true) as applied offset 0) as said,
    lateral {schema}.append_v2(
        {part append_arguments},
        $13 and applied is not null
    )
