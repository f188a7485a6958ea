-- $1: a stream. Its version.
select version from {schema}.streams where id = $1
