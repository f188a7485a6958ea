-- The arguments are those of the function, which says what they hold; arrays of numbers and of ids come as
-- text. $31: what the transaction applies to inline projections, which the trigger of the events asks for:
-- it is said before the function runs, since an argument of that depends on it.
select
    outcome, stream_version, last_position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from
    (select set_config('eventsourcing.inline', coalesce($31, ''), true) as applied offset 0) as said,
    lateral {schema}.append_v3(
        $1,
        $2::text::bigint[],
        $3::text::integer[],
        $4::text::integer[],
        $5::text::integer[],
        $6::text::integer[],
        $7::text::integer[],
        $8::text::uuid[],
        $9,
        $10,
        $11,
        $12,
        $13::text::bigint[],
        $14,
        $15,
        $16::text::integer[],
        $17,
        $18::text::integer[],
        $19::text::integer[],
        $20::text::integer[],
        $21::text::integer[],
        $22::text::bigint[],
        $23,
        $24::text::bigint[],
        $25::text::uuid[],
        $26::text::integer[],
        $27,
        $28,
        $29,
        $30 and applied is not null
    )
