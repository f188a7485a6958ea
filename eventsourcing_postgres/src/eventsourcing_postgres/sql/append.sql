-- The arguments are those of the function, which says what they hold.
select
    stream_version, last_position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from {schema}.append_v2(
    {part append_arguments},
    $13
)
