-- $1, $2: a build; $3: what somebody wants; $4: a parked key, or null for all.
update {schema}.parked_keys set wish = $3
where name = $1 and version = $2 and ($4::text is null or key = $4)
returning key
