-- $1: keys of a view, sorted; $2: for how long to wait for whoever has one, as a lock_timeout in text, or
-- null: as before. Their values, which nobody else changes until the transaction ends. A key without a
-- value gets one, 'null', for as long, and is given as new: so two that begin it wait for each other.
--
-- Everybody begins keys first, and then locks those that are there, both in the order of the keys: so
-- no two that do this once wait for each other. A key that somebody else has begun meanwhile is in
-- neither part: ask for it again.
with made as (
    insert into {view} (key, value)
    select key, 'null'
    from (
        select case when $2::text is not null then set_config('lock_timeout', $2, true) end as waits
        offset 0
    ) as patience, unnest($1::text[]) with ordinality as given (key, number)
    where waits is null or waits <> ''
    order by number
    on conflict (key) do nothing
    returning key
), locked as (
    select key, value::text from {view}
    where key = any ($1)
    order by key
    for no key update
)
select key, null as value from made
union all
select key, value from locked
