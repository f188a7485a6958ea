-- What was not read that conditions are about, at most $7 events of each: rows of the function matching_v1,
-- after the number of the condition, from 1. $1, $2, $3: of each condition, its horizon, the positions above
-- that which its reader has seen, and the position of its witness; $4, $5, $6: of each item the number of its
-- condition, its tags, and its types.
select condition.number, found.*
from unnest($1::text::bigint[], $2::text[], $3::text::bigint[]) with ordinality
    as condition (horizon, seen, witness, number)
left join (
    select number, array_agg(tags) as tags, array_agg(types) as types
    from unnest($4::text::integer[], $5::text[], $6::text[]) as item (number, tags, types)
    group by number
) as items on items.number = condition.number,
lateral {schema}.matching_v1(
    items.tags, items.types, condition.horizon, condition.seen::bigint[], $7,
    coalesce(condition.witness, 0)
) as found
