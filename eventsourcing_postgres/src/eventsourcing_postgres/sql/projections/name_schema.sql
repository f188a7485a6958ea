-- $1, $2: a build; $3: the schema that it has from now on. The caller has locked its segments.
update {schema}.projection_segments set own_schema = $3 where name = $1 and version = $2
