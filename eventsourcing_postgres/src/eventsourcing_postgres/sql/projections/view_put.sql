-- $1, $2: keys of a view, and their values from now on.
insert into {view} (key, value)
select key, value::jsonb
from unnest($1::text[], $2::text[]) as given (key, value)
on conflict (key) do update set value = excluded.value
