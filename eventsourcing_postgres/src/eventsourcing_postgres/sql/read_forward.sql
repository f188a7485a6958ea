-- $1: a stream; versions after $2 up to $3; at most $4 rows. The id is sent as bytes: making an
-- object of it costs more than fetching the payload, and few look at it.
select
    event_type, data, metadata, encoding, uuid_send(event_id), "timestamp",
    stream_id, version, position
from {schema}.events
where stream_id = $1 and version > $2 and version <= $3
order by version asc
limit $4
