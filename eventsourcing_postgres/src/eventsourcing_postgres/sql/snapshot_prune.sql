-- $1: an aggregate; $2: how many of its newest snapshots stay.
delete from {schema}.snapshots
where aggregate_id = $1 and version in (
    select version from {schema}.snapshots
    where aggregate_id = $1
    order by version desc
    offset $2
)
