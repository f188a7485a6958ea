-- $1, $2: a build; $3: an owner. It is no worker any more, and has no claims.
delete from {schema}.projection_workers where name = $1 and version = $2 and owner = $3
