-- Writes to a view, as text without arguments: so the driver can send it in one message with the commit.
-- {values}: a literal, a JSON object of keys and their values from now on; {gone}: a literal, a JSON
-- array of the keys that have none from now on. No key is in both.
with gone as (
    delete from {view} where key = any (array(select json_array_elements_text({gone})))
)
insert into {view} (key, value)
select key, value::text::jsonb from json_each({values})
on conflict (key) do update set value = excluded.value
