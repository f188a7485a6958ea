-- $1, $2: a build. All that points to it goes, too.
delete from {schema}.projections where name = $1 and version = $2
