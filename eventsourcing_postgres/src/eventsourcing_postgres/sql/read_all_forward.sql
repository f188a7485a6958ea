-- Positions above $1 up to $2, in order; $3: event types, or null; $4: the beginning of the stream
-- id, or null; at most $5 rows, and none after the first $6 bytes. Correct only behind the horizon,
-- or as far as positions follow without a hole.
-- The page is kept while its bytes are added up: finding rare events a second time costs more.
with page as materialized (
    select
        stream_id, version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags,
        octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where position > $1 and position <= $2
      and ($3::text[] is null or event_type = any ($3))
      and ($4::text is null or starts_with(stream_id, $4))
    order by position
    limit $5
)
select
    stream_id, version, position,
    event_type, data, metadata, encoding, uuid_send(event_id) as event_id, "timestamp",
    tags
from page
order by position
limit case
    when (select sum(bytes) from page) < $6 then $5
    else (
        select count(*)
        from (select sum(bytes) over (order by position) - bytes as before from page) as sums
        where before < $6
    )
end
