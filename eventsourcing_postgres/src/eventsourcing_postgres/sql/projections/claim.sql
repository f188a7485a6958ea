-- $1, $2: a build; $3: the lowest hashes of segments; $4: who has claimed each from now on.
insert into {schema}.projection_claims (name, version, low, owner)
select $1, $2, low, owner
from unnest($3::integer[], $4::text[]) as given (low, owner)
on conflict (name, version, low) do update set owner = excluded.owner
