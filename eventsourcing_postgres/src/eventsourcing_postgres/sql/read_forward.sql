-- $1: a stream; its versions above $2 up to $3, in order; at most $4 rows, and none after the first
-- $5 bytes. The id is sent as bytes: making an object of it costs more than fetching the payload,
-- and few look at it.
with page as not materialized (
    select version, octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where stream_id = $1 and version > $2 and version <= $3
    order by version
    limit $4
)
select
    stream_id, version, position,
    event_type, data, metadata, encoding, uuid_send(event_id) as event_id, "timestamp",
    tags
from {schema}.events
where stream_id = $1 and version > $2 and version <= $3
order by version
-- Nearly every page fits; only where it does not, the rows that fit are counted one by one.
limit case
    when (select sum(bytes) from page) < $5 then $4
    else (
        select count(*)
        from (select sum(bytes) over (order by version) - bytes as before from page) as sums
        where before < $5
    )
end
