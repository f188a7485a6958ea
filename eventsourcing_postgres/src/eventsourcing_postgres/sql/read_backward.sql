-- $1: a stream; its versions below $2 down to $3, the highest first; at most $4 rows, and none after
-- the first $5 bytes.
with page as not materialized (
    select version, octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where stream_id = $1 and version < $2 and version >= $3
    order by version desc
    limit $4
)
select
    stream_id, version, position,
    event_type, data, metadata, encoding, uuid_send(event_id) as event_id, "timestamp",
    tags
from {schema}.events
where stream_id = $1 and version < $2 and version >= $3
order by version desc
-- Nearly every page fits; only where it does not, the rows that fit are counted one by one.
limit case
    when (select sum(bytes) from page) < $5 then $4
    else (
        select count(*)
        from (select sum(bytes) over (order by version desc) - bytes as before from page) as sums
        where before < $5
    )
end
