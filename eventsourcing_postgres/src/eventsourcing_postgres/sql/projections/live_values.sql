-- $1: the name of a projection; $2: keys. The values of those that have one; a row without a key if none
-- has. No row if it is not a view that this store has.
with live as (
    select from {schema}.projections where name = $1 and state = 'live' and kind = 'view'
)
select key, value::text
from live left join {view} on key = any ($2)
