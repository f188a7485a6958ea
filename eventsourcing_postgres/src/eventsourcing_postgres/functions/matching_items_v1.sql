-- The condition, as a text of SQL on the columns of events, that is true where one of some items matches.
--
--   tags, types    one element per item, its texts one in a line; null where the item asks for none
create or replace function {schema}.matching_items_v1(tags text[], types text[])
returns text language sql immutable as $$
    select string_agg(
        case
            when item.tags is null and item.types is null then 'true'
            else concat_ws(
                ' and ',
                case when item.tags is not null then
                    format('tags @> %L::text[]', string_to_array(item.tags, E'\n'))
                end,
                case when item.types is not null then
                    format('event_type = any (%L::text[])', string_to_array(item.types, E'\n'))
                end
            )
        end,
        ' or '
    )
    from unnest(tags, types) as item (tags, types)
$$;

comment on function {schema}.matching_items_v1 is 'revision 1 for {schema_text}';
