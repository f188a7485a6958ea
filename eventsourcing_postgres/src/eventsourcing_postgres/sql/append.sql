-- The arguments are those of the function, which says what they hold; arrays of numbers and of ids come
-- as text.
select
    stream_version, last_position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from {schema}.append_v1(
    $1,
    $2::text::bigint[],
    $3::text::integer[],
    $4::text::integer[],
    $5::text::integer[],
    $6::text::uuid[],
    $7,
    $8,
    $9,
    $10,
    $11::text::bigint[],
    $12,
    $13
)
