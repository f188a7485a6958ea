-- The events that match one of some items, by position: above a position, none of those that were seen, and at
-- most so many; null: all. For the items see matching_items_v1; without any, nothing matches.
--
-- Before them comes a row about the store: its position is the horizon, and its version the last position that
-- was given. Its timestamp and event_id are the position and the id of a witness: of the event at the position
-- that is asked for, or, if none is, of the last event at or below the horizon; null if there is none.
--
-- The horizon is asked for first, in a statement of its own: so everything at or below it is among the events.
-- These come by one statement, so that nobody sees half a group.
create or replace function {schema}.matching_v1(
    item_tags text[], item_types text[], above bigint, seen bigint[], most bigint, witness bigint
) returns table (
    stream_id text, version bigint, "position" bigint, event_type text, data bytea, metadata bytea,
    encoding text, event_id bytea, "timestamp" bigint, tags text[]
) language plpgsql volatile as $$
#variable_conflict use_column
declare
    horizon bigint;
    drawn bigint := coalesce(pg_sequence_last_value('{schema_text}.events_position'), 0);
begin
    perform {schema}.check_isolation_v1();
    horizon := {schema}.horizon_v1();
    return query
    select null::text, drawn, horizon, null::text, null::bytea, null::bytea,
        null::text, last.event_id, last.position, null::text[]
    from (values (horizon)) as asked
    left join (
        select events.position, uuid_send(events.event_id) as event_id
        from {schema}.events
        where events.position <= coalesce(witness, horizon)
        order by events.position desc
        limit 1
    ) as last on last.position = coalesce(witness, last.position);

    if cardinality(item_tags) = 1 and item_tags[1] is not null and above = 0 and most is null then
        -- The most frequent case needs no new plan each time: the index of tags will do.
        return query
        select
            stream_id, version, position, event_type, data, metadata,
            encoding, uuid_send(event_id), "timestamp", tags
        from {schema}.events
        where tags @> string_to_array(item_tags[1], E'\n')
          and (item_types[1] is null or event_type = any (string_to_array(item_types[1], E'\n')))
        order by position;
        return;
    end if;

    return query execute format(
        'select
            stream_id, version, position, event_type, data, metadata,
            encoding, uuid_send(event_id), "timestamp", tags
        from {schema_text}.events
        where (%s)
          and ($1 = 0 or position > $1)
          and ($2 is null or position <> all ($2))
        order by position
        limit $3',
        coalesce({schema}.matching_items_v1(item_tags, item_types), 'false')
    )
    using above, seen, most;
end
$$;

comment on function {schema}.matching_v1 is 'revision 1 for {schema_text}';
