-- $1, $2: the items of a query; $3: the position above which events are wanted. See the function, which gives a
-- row about the store first.
select
    stream_id, version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags
from {schema}.matching_v1($1, $2, $3, null, null, null)
