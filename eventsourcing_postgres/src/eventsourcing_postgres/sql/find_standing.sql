-- $1: event ids; $2: streams. Where those events stand that the store holds, and the versions of those
-- streams that it has (a row without an id); each row says whether commits wait for a standby. In one
-- statement: all must be of one moment.
select
    uuid_send(event_id) as event_id, stream_id, version, position,
    current_setting('synchronous_standby_names') <> '' as is_standby_awaited
from {schema}.events
where event_id = any ($1)
union all
select null, id, version, null, null
from {schema}.streams
where id = any ($2)
