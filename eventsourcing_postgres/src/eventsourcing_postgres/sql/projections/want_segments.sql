-- $1, $2: a build; $3: how many segments it is to have.
update {schema}.projections set wanted_segments = $3 where name = $1 and version = $2
