-- $1: event ids. Where those stand that the store holds.
select uuid_send(event_id) as event_id, stream_id, version, position
from {schema}.events
where event_id = any ($1)
