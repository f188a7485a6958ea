-- $1, $2: a build; $3: for how many seconds from now nobody is to work on it; null: for none.
update {schema}.projections
set switching_until = clock_timestamp() + make_interval(secs => $3)
where name = $1 and version = $2
