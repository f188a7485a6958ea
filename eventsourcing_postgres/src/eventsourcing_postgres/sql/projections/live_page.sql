-- $1: the name of a view; $2: the key that comes before the page; $3: so many rows at most; further ones
-- are values of fields. Keys and values by key, each with the version of the build it is of.
--
-- The table was found by the name that its schema had before this statement took its snapshot, so it may
-- be another one than the registry says. It is asked which one it is: what its schema is called, and
-- what the build is called that has that schema, are of one moment.
with page as (
    select key, value::text as value, tableoid
    from {view}
    where key > $2{where}
    order by key
    limit $3
), builds as (
    select
        version,
        replace(name, '-', '_') || case when state = 'live' then '' else '_v' || version end
            as own_schema
    from {schema}.projections
    where name = $1 and kind = 'view'
)
select key, value, version
from page
join pg_catalog.pg_class as tables on tables.oid = page.tableoid
join pg_catalog.pg_namespace as homes on homes.oid = tables.relnamespace
join builds on builds.own_schema = homes.nspname
order by key
