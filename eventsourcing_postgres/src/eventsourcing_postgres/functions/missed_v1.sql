-- The conditions that do not hold: something matches an item of theirs, has a position above their horizon,
-- and is none of those that their reader has seen; or their reader has read what this store does not hold.
--
--   horizons, seen                one element per condition: the horizon of its marker, and the positions
--                                 above that which the reader has seen, as an array in text, or null
--   witnesses, witness_ids        an event that the reader has read: its position, and its id; or null
--   item_conditions               of each item of a condition: the number of that
--   item_tags, item_types         its tags and types, as matching_items_v1 has them
--
-- Nearly all markers are of a moment ago. Then the few events that are newer are read once, by position, and
-- meet all items in one join, by the first tag of each. It is to be a hash join: the server expects so few items
-- that it would take a loop, which takes twice as long. An older marker is looked up by itself, by a statement
-- that the server plans for its very values: it alone knows whether the tag or the position is rarer.
create or replace function {schema}.missed_v1(
    horizons bigint[],
    seen text[],
    witnesses bigint[],
    witness_ids uuid[],
    item_conditions integer[],
    item_tags text[],
    item_types text[]
) returns setof integer language plpgsql volatile set enable_nestloop = off as $$
declare
    few bigint := 1000 + 100 * cardinality(horizons);  -- as many take as long as the lookups do
    drawn bigint := coalesce(pg_sequence_last_value('{schema_text}.events_position'), 0);
    condition integer;
    is_missed boolean;
begin
    return query
    with item as materialized (
        select
            given.condition::integer as condition, horizons[given.condition] as horizon,
            split_part(given.tags, E'\n', 1) as tag,
            string_to_array(given.tags, E'\n') as tags,
            string_to_array(given.types, E'\n') as types,
            seen[given.condition]::bigint[] as seen
        from unnest(item_conditions, item_tags, item_types) as given (condition, tags, types)
        where horizons[given.condition] >= drawn - few
    ), newer as materialized (
        select events.position, events.event_type, events.tags
        from {schema}.events
        where events.position > (select min(item.horizon) from item) and events.position <= drawn
        order by events.position
        limit few
    )
    select item.condition
    from newer, unnest(newer.tags) as given (tag)
    join item on item.tag = given.tag
    where newer.position > item.horizon
      and newer.tags @> item.tags
      and (item.types is null or newer.event_type = any (item.types))
      and (item.seen is null or newer.position <> all (item.seen))
    union
    select item.condition
    from newer
    join item on item.tags is null and (item.types is null or newer.event_type = any (item.types))
    where newer.position > item.horizon
      and (item.seen is null or newer.position <> all (item.seen))
    union
    select given.condition::integer
    from unnest(horizons, witnesses, witness_ids) with ordinality
        as given (horizon, witness, witness_id, condition)
    where given.horizon > drawn
       or given.witness is not null and not exists (
           select from {schema}.events
           where events.position = given.witness and events.event_id = given.witness_id
       );

    for number in 1 .. coalesce(cardinality(item_conditions), 0) loop
        condition := item_conditions[number];
        if horizons[condition] < drawn - few then
            execute format(
                'select exists (
                    select from {schema_text}.events
                    where position > $1 and position <= $2 and (%s)
                      and ($3 is null or position <> all ($3))
                )',
                {schema}.matching_items_v1(
                    array[item_tags[number]], array[item_types[number]]
                )
            )
            into is_missed
            using horizons[condition], drawn, seen[condition]::bigint[];
            if is_missed then
                return next condition;
            end if;
        end if;
    end loop;
end
$$;

comment on function {schema}.missed_v1 is 'revision 1 for {schema_text}';
