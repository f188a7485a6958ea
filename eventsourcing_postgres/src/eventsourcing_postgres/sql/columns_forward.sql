-- $1: a stream; its versions above $2 up to $3, in order; at most $4 rows, as one row of columns: a
-- value for each event costs the driver more than what is in it. Numbers and ids are sent as their
-- bytes; names, which hold no line feed, as lines; the tags of an event, if any has some, as a line with unit
-- separators. Versions without a hole are known by their ends.
-- Nothing comes of an event of more than $5 bytes, so the row is no larger than a page may be.
select
    count(*), max(bytes),
    min(version), max(version),
    string_agg(int8send(position), ''),
    string_agg(event_type, E'\n'),
    array_agg(case when bytes <= $5 then data end),
    case when count(metadata) > 0 then array_agg(case when bytes <= $5 then metadata end) end,
    string_agg(encoding, E'\n'),
    string_agg(uuid_send(event_id), ''),
    string_agg(int8send("timestamp"), ''),
    case when count(tags) > 0 then
        string_agg(coalesce(array_to_string(tags, E'\x1f'), ''), E'\n')
    end
from (
    select
        version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags,
        octet_length(data) + coalesce(octet_length(metadata), 0) as bytes
    from {schema}.events
    where stream_id = $1 and version > $2 and version <= $3
    order by version
    limit $4
) as page
