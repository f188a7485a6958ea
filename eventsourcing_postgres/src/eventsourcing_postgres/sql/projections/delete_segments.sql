-- $1, $2: a build; $3: the lowest hashes of segments, which go.
delete from {schema}.projection_segments where name = $1 and version = $2 and low = any ($3)
