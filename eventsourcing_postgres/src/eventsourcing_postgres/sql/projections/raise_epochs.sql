-- $1, $2: a build. Whoever knows its segments as they are moves none of them any more. The caller has
-- locked them.
update {schema}.projection_segments set epoch = epoch + 1 where name = $1 and version = $2
