-- $1, $2: a build; $3: the lowest hashes of segments, or null for all. Nobody has claimed them any more.
delete from {schema}.projection_claims
where name = $1 and version = $2 and ($3::integer[] is null or low = any ($3))
