-- $1: a stream; versions below $2 down to $3; at most $4 rows. The keys of ids and times are
-- sent as bytes: making objects of them costs more than fetching the payload, and few look at them.
select
    event_type, data, metadata, encoding, uuid_send(event_id), timestamptz_send("timestamp"),
    stream_id, version, position
from {schema}.events
where stream_id = $1 and version < $2 and version >= $3
order by version desc
limit $4
