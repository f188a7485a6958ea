-- Positions above $1 up to $2, in order; $3: event types, or null; $4: the beginning of the stream
-- id, or null; at most $5 rows, as one row of columns: see columns_forward.sql. Nothing comes of an
-- event of more than $6 bytes. Correct only behind the horizon, or as far as positions follow without
-- a hole.
select
    count(*), max(bytes),
    string_agg(stream_id, E'\n'),
    string_agg(int8send(version), ''),
    string_agg(int8send(position), ''),
    string_agg(event_type, E'\n'),
    array_agg(case when bytes <= $6 then data end),
    case when count(metadata) > 0 then array_agg(case when bytes <= $6 then metadata end) end,
    string_agg(encoding, E'\n'),
    string_agg(uuid_send(event_id), ''),
    string_agg(int8send("timestamp"), ''),
    case when count(tags) > 0 then
        string_agg(coalesce(array_to_string(tags, E'\x1f'), ''), E'\n')
    end
from (
    select
        stream_id, version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags,
        octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where position > $1 and position <= $2
      and ($3::text[] is null or event_type = any ($3))
      and ($4::text is null or starts_with(stream_id, $4))
    order by position
    limit $5
) as page
