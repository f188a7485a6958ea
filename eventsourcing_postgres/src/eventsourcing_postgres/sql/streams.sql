-- A page of the streams by id, each with its version; $1: the id after which it begins; $2: the
-- beginning of the ids; at most $3 rows are looked at.
-- Ids that begin with $2 follow each other in the index, from $2 on, so the filter is outside: when it
-- leaves one out, there is no other one behind it.
select id, version
from (
    select id, version
    from {schema}.streams
    where id > $1 and id >= $2
    order by id
    limit $3
) as page
where starts_with(id, $2)
order by id
