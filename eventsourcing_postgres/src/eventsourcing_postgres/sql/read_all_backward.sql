-- Positions below $1 and above $2; at most $3 rows; $4: event types, or null; $5: the beginning of the
-- stream id, or null. Correct only behind the horizon, or as far as positions follow without a hole.
select
    event_type, data, metadata, encoding, uuid_send(event_id), "timestamp",
    stream_id, version, position
from {schema}.events
where position < $1 and position > $2
  and ($4::text[] is null or event_type = any ($4))
  and ($5::text is null or starts_with(stream_id, $5))
order by position desc
limit $3
