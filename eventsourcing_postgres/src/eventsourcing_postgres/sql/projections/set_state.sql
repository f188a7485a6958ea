-- $1, $2: a build; $3: what it is there for from now on. Nobody is switching from it.
update {schema}.projections set state = $3, switching_until = null where name = $1 and version = $2
