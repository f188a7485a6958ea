-- As read_all_backward.sql, of those events that match one of some items; $7, $8: of each item its tags and its
-- types, one in a line, or null; $9: a tag of each item, or null, if an item has none. The server knows by its
-- statistics whether to look at all events of a stretch, or at all with these tags: so it makes a plan for
-- these very values.
-- The page is kept while its bytes are added up: finding rare events a second time costs more.
with page as materialized (
    select
        stream_id, version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags,
        octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where position < $1 and position >= $2
      and ($3::text[] is null or event_type = any ($3))
      and ($4::text is null or starts_with(stream_id, $4))
      and ($9::text[] is null or tags && $9)
      and exists (
          select from unnest($7::text[], $8::text[]) as item (tags, types)
          where (item.tags is null or events.tags @> string_to_array(item.tags, E'\n'))
            and (item.types is null or event_type = any (string_to_array(item.types, E'\n')))
      )
    order by position desc
    limit $5
)
select
    stream_id, version, position,
    event_type, data, metadata, encoding, uuid_send(event_id) as event_id, "timestamp",
    tags
from page
order by position desc
limit case
    when (select sum(bytes) from page) < $6 then $5
    else (
        select count(*)
        from (select sum(bytes) over (order by position desc) - bytes as before from page) as sums
        where before < $6
    )
end
