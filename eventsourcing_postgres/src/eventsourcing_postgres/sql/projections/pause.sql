-- $1, $2: a build; $3: whether it is paused.
update {schema}.projections set is_paused = $3 where name = $1 and version = $2
