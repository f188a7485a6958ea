-- Append to several streams in one transaction: groups, tags and conditions. What append_v2 can do is its.
--
--   stream_ids, expected, sizes   one element per write, in the order in which the appends came, and in an
--                                 append by stream; expected is that of the function advance_v1. A
--                                 stream of which no event is given (size 0) is required: it has to be
--                                 at the expected version, and stay there. sizes is null if each write
--                                 is one event
--   appends                       of each write: the number of its append, from 1; what an append writes
--                                 is written as a whole, or not at all
--   turns                         the numbers of the writes, sorted by stream in "C" order
--   owners, places                null if the events are in the order of their writes. Else one element
--                                 per event: the number of its write, and its own number in that
--   event_ids to timestamps       one element per event, in the order of their positions; metadatas is
--                                 null if no event has any, and event_types and encodings may have one
--                                 element, which is that of all
--   tags                          one element per event: its tags, one in a line, or null; null if no
--                                 event has any
--   is_alone                      whether no other append may be under way: for conditions that name no
--                                 tag, or too many
--   keys, are_alone, key_appends  the locks of tags, sorted by key; of each key those of the mode that is
--                                 stronger come first: the key, whether it is taken for oneself, and for
--                                 which append
--   blockers, blocked             numbers of appends, sorted by the second: that one is left out if the
--                                 first one is written, whose events match its condition
--   condition_appends             of each condition, the number of its append
--   horizons to item_types        the conditions and their items, as missed_v1 has them
--   patience, skips_held          as for append_v2; whoever cannot have the lock of a tag is held, too
--
-- Gives a row per write, in their order: what became of its append ("written"; "misfit": a stream is not
-- at the expected version; "held"; "missed": something matches its condition that was not seen;
-- "blocked"), the version of the stream (the new one, or for a misfit the one that was found), and the
-- position of its last event, or null. Where there are owners, the position means nothing.
--
-- The locks come first, in one order for all: the one that every append shares, those of tags, the streams.
-- An event that matches an item has the tag of the item that is locked here, so whoever writes it has shared
-- that lock from before its insert to its end. Once it is ours, such writers have ended, and no other one
-- begins: the check, which is a statement of its own, sees all they wrote. Then come the floor and the
-- positions, as in append_v2.
create or replace function {schema}.append_v3(
    stream_ids text[],
    expected bigint[],
    sizes integer[],
    appends integer[],
    turns integer[],
    owners integer[],
    places integer[],
    event_ids uuid[],
    event_types text[],
    datas bytea[],
    metadatas bytea[],
    encodings text[],
    timestamps bigint[],
    tags text[],
    is_alone boolean,
    keys integer[],
    are_alone boolean[],
    key_appends integer[],
    blockers integer[],
    blocked integer[],
    condition_appends integer[],
    horizons bigint[],
    seen text[],
    witnesses bigint[],
    witness_ids uuid[],
    item_conditions integer[],
    item_tags text[],
    item_types text[],
    patience text,
    skips_held boolean
) returns table (outcome text, stream_version bigint, last_position bigint)
language plpgsql volatile as $$
declare
    class integer := {schema}.boundary_class_v1();
    outcomes text[] := array_fill('written'::text, array[appends[cardinality(appends)]]);
    befores bigint[] := array_fill(null::bigint, array[cardinality(stream_ids)]);
    versions bigint[] := befores;  -- that did not fit
    are_new boolean := 0 = all (expected) and 0 < all (coalesce(sizes, '{1}')) and not skips_held;
    tried text[];
    created text[];  -- in the order of turns
    unmet integer := 1;  -- the first element of created that the loop has not met
    behind text;  -- what became of an append to the same stream, which nothing may overtake
    has_misfits boolean := false;
    has_absent boolean := false;  -- required streams that are not there have a row of version 0
    condition integer;
    write integer;
    append integer;
    size integer;
    reached bigint;
    is_locked boolean;
    positions bigint[];
    written integer := 0;
    setting text;
begin
    if patience is not null then
        setting := set_config('lock_timeout', patience, true);
    end if;
    if condition_appends is not null then
        perform {schema}.check_isolation_v1();
    end if;

    -- 1. The lock that every append shares, and the locks of tags.
    if is_alone then
        is_locked := pg_advisory_xact_lock(class, 0) is not null;
    else
        is_locked := pg_advisory_xact_lock_shared(class, 0) is not null;
    end if;
    for number in 1 .. coalesce(cardinality(keys), 0) loop
        if number = 1 or keys[number] <> keys[number - 1] then
            if skips_held then
                is_locked := case when are_alone[number]
                    then pg_try_advisory_xact_lock(class, keys[number])
                    else pg_try_advisory_xact_lock_shared(class, keys[number])
                end;
            elsif are_alone[number] then
                is_locked := pg_advisory_xact_lock(class, keys[number]) is not null;
            else
                is_locked := pg_advisory_xact_lock_shared(class, keys[number]) is not null;
            end if;
        end if;
        if not is_locked then
            outcomes[key_appends[number]] := 'held';
            are_new := false;
        end if;
    end loop;

    -- 2. The conditions, and of those that hold, which would not if an earlier append were written.
    if condition_appends is not null then
        for condition in
            select missed from {schema}.missed_v1(
                horizons, seen, witnesses, witness_ids, item_conditions, item_tags, item_types
            ) as missed
        loop
            outcomes[condition_appends[condition]] := 'missed';
        end loop;
    end if;
    for number in 1 .. coalesce(cardinality(blocked), 0) loop
        if outcomes[blockers[number]] = 'written' and outcomes[blocked[number]] = 'written' then
            outcomes[blocked[number]] := 'blocked';
            are_new := false;
        end if;
    end loop;

    -- 3. The streams. New ones by one statement for all, which takes less time.
    if are_new then
        tried := outcomes;
        with made as (
            insert into {schema}.streams as s (id, version)
            select stream_ids[given.write], coalesce(sizes[given.write], 1)
            from unnest(turns) as given (write)
            where tried[appends[given.write]] = 'written'
            on conflict do nothing
            returning s.id
        )
        select array_agg(made.id order by made.id) into created from made;
    end if;
    for number in 1 .. cardinality(turns) loop
        write := turns[number];
        append := appends[write];
        if are_new then
            if tried[append] = 'written' and created[unmet] = stream_ids[write] then
                befores[write] := 0;
                unmet := unmet + 1;
            elsif outcomes[append] = 'written' then
                outcomes[append] := 'misfit';
                has_misfits := true;
            end if;
            continue;
        end if;

        if number = 1 or stream_ids[write] <> stream_ids[turns[number - 1]] then
            behind := null;
        end if;
        if outcomes[append] in ('held', 'blocked') then
            behind := outcomes[append];
        elsif outcomes[append] = 'written' and behind is not null then
            outcomes[append] := behind;  -- even if it is free by now: nothing may overtake
            has_misfits := true;  -- what it was given of other streams is undone
        end if;
        if outcomes[append] <> 'written' then
            continue;
        end if;

        size := coalesce(sizes[write], 1);
        if skips_held then
            begin
                reached := {schema}.take_v1(stream_ids[write], expected[write], size);
            exception when lock_not_available then
                behind := 'held';
                outcomes[append] := 'held';
                has_misfits := true;
                continue;
            end;
        else
            reached := {schema}.take_v1(stream_ids[write], expected[write], size);
        end if;
        befores[write] := reached - size;
        if reached is null then
            has_misfits := true;
            versions[write] := {schema}.version_of_v1(stream_ids[write]);
            if versions[write] = expected[write] or expected[write] = -2 and versions[write] > 0 then
                behind := 'held';  -- it moved between the two statements, and would fit now
                outcomes[append] := 'held';
            else
                outcomes[append] := 'misfit';
            end if;
        elsif reached = 0 then
            has_absent := true;
        end if;
    end loop;

    -- What was done for an append that is left out after all is undone.
    if has_misfits then
        for number in reverse cardinality(stream_ids) .. 1 loop
            if outcomes[appends[number]] = 'misfit' then
                versions[number] := coalesce(
                    versions[number], befores[number], {schema}.version_of_v1(stream_ids[number])
                );
            end if;
            if outcomes[appends[number]] = 'written' or befores[number] is null then
                continue;
            end if;
            if befores[number] > 0 then
                update {schema}.streams as s set version = befores[number]
                where s.id = stream_ids[number] and s.version <> befores[number];
            elsif sizes[number] is distinct from 0 then
                delete from {schema}.streams as s where s.id = stream_ids[number];
            end if;
            befores[number] := null;
        end loop;
    end if;
    if has_absent then
        delete from {schema}.streams as s where s.id = any (stream_ids) and s.version = 0;
    end if;

    -- 4. The floor.
    if patience is not null then
        is_locked := pg_advisory_xact_lock_shared({schema}.floor_key_v1()) is not null;
    else
        is_locked := {schema}.publish_first_floor_v1();
    end if;

    -- 5. Only then the positions.
    if owners is null and sizes is not null then
        -- In this order, since the second function is called for each row of the first.
        select array_agg(given.number), array_agg(place) into owners, places
        from unnest(sizes) with ordinality as given (size, number),
            generate_series(1, given.size) as place;
    end if;
    with inserted as (
        insert into {schema}.events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp", tags
        )
        select
            nextval('{schema_text}.events_position'),
            stream_ids[coalesce(given.owner, given.number)],
            befores[coalesce(given.owner, given.number)] + coalesce(given.place, 1),
            given.event_id, coalesce(given.event_type, event_types[1]), given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened,
            string_to_array(given.tags, E'\n')
        from unnest(
            owners, places, event_ids, event_types, datas, metadatas, encodings, timestamps, tags
        ) with ordinality as given (
            owner, place, event_id, event_type, data, metadata, encoding, happened, tags, number
        )
        where befores[coalesce(given.owner, given.number)] is not null
        returning position
    )
    select array_agg(position order by position) into positions from inserted;

    if sizes is null and cardinality(positions) = cardinality(stream_ids) then
        return query
        select 'written', befores[given.number] + 1, given.position
        from unnest(positions) with ordinality as given (position, number);
        return;
    end if;
    for number in 1 .. cardinality(stream_ids) loop
        outcome := outcomes[appends[number]];
        stream_version := versions[number];
        last_position := null;
        if befores[number] is not null then  -- positions were drawn in the order of the events
            written := written + coalesce(sizes[number], 1);
            stream_version := befores[number] + coalesce(sizes[number], 1);
            last_position := positions[written];
        end if;
        return next;
    end loop;
end
$$;

comment on function {schema}.append_v3 is 'revision 1 for {schema_text}';
