-- Append to several streams in one transaction.
--
--   stream_ids, expected, sizes   one element per append, sorted by stream in "C" order, so that two
--                                 batches cannot deadlock; those of one stream in the order in
--                                 which they came, each judged by what the earlier ones left;
--                                 expected is that of the function advance_v1
--   owners, places                one element per event: the number of its append, and its own
--                                 number in it, both from 1; positions are drawn in the order of the
--                                 events, which may mix those of several appends
--                                 (sizes, owners and places are null if each append is one event)
--   event_ids to timestamps       one element per event; metadatas is null if no event has any, and
--                                 encodings may have one element, which is that of all
--   patience                      for how long to wait for a stream that another transaction holds, as a
--                                 lock_timeout in text, since a cast takes as long as the setting; null
--                                 in the transaction of a caller: as its own lock_timeout says
--   skips_held                    whether to pass over streams that another transaction holds
--
-- Gives a row per append, in their order: the stream's version (the new one, or the one that did not
-- fit, or null if it is held, as that of one before it in the same stream), and the position of its last
-- event, which is null if the append was not written. Where the events of appends are mixed, only
-- whether it is null means something.
--
-- The order of the three steps is what readers rely on; each is a statement of its own.
create or replace function {schema}.append_v1(
    stream_ids text[],
    expected bigint[],
    sizes integer[],
    owners integer[],
    places integer[],
    event_ids uuid[],
    event_types text[],
    datas bytea[],
    metadatas bytea[],
    encodings text[],
    timestamps bigint[],
    patience text,
    skips_held boolean
) returns table (stream_version bigint, last_position bigint)
language plpgsql volatile as $$
declare
    befores bigint[] := array_fill(null::bigint, array[cardinality(stream_ids)]);
    versions bigint[] := befores;  -- that were reached, or did not fit; null if it is held
    are_new boolean := 0 = all (expected) and not skips_held;
    created text[];  -- in the order of stream_ids
    is_simple boolean := false;  -- each append is one event that begins a stream, and has begun it
    unmet integer := 1;  -- the first element of created that the loop has not met
    is_held boolean := false;
    size integer;
    reached bigint;
    positions bigint[];
    written integer := 0;
    setting text;
    is_published boolean;
begin
    if patience is not null then
        setting := set_config('lock_timeout', patience, true);
    end if;
    -- 0. The lock that a condition on types alone takes for itself (see append_v3).
    is_published := pg_advisory_xact_lock_shared({schema}.boundary_class_v1(), 0) is not null;

    -- 1. Streams first. New ones by one statement for all, which takes less time.
    if are_new then
        with made as (
            insert into {schema}.streams as s (id, version)
            select given.id, coalesce(given.size, 1)
            from unnest(stream_ids, sizes) as given (id, size)
            on conflict do nothing
            returning s.id
        )
        select array_agg(made.id order by made.id) into created from made;
        is_simple := sizes is null and cardinality(created) = cardinality(stream_ids);
    end if;
    for number in 1 .. case when is_simple then 0 else cardinality(stream_ids) end loop
        is_held := is_held and stream_ids[number] = stream_ids[number - 1];
        if is_held then
            continue;  -- even if it is free by now: nothing may overtake the one before
        end if;
        size := coalesce(sizes[number], 1);
        if are_new then
            reached := null;
            if created[unmet] = stream_ids[number] then
                reached := size;
                unmet := unmet + 1;
            end if;
        elsif skips_held then
            begin
                reached := {schema}.advance_v1(stream_ids[number], expected[number], size);
            exception when lock_not_available then
                is_held := true;
                continue;
            end;
        else
            reached := {schema}.advance_v1(stream_ids[number], expected[number], size);
        end if;
        befores[number] := reached - size;
        versions[number] := coalesce(reached, {schema}.version_of_v1(stream_ids[number]));
        if reached is null and (
            versions[number] = expected[number] or expected[number] = -2 and versions[number] > 0
        ) then  -- it moved between the two statements, and would fit now: somebody is at work on it
            is_held := true;
            versions[number] := null;
        end if;
    end loop;

    -- 2. The floor.
    if patience is not null then
        is_published := pg_advisory_xact_lock_shared({schema}.floor_key_v1()) is not null;
    else
        is_published := {schema}.publish_first_floor_v1();
    end if;

    -- 3. Only then the positions. The simple case is the most frequent one: for small batches it takes
    -- three quarters of the time of the other.
    if is_simple then
        return query
        insert into {schema}.events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('{schema_text}.events_position'), given.stream_id, 1,
            given.event_id, given.event_type, given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            stream_ids, event_ids, event_types, datas, metadatas, encodings, timestamps
        ) as given (stream_id, event_id, event_type, data, metadata, encoding, happened)
        returning events.version, events.position;
        return;
    end if;
    with inserted as (
        insert into {schema}.events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('{schema_text}.events_position'),
            stream_ids[coalesce(given.owner, given.number)],
            befores[coalesce(given.owner, given.number)] + coalesce(given.place, 1),
            given.event_id, given.event_type, given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            owners, places, event_ids, event_types, datas, metadatas, encodings, timestamps
        ) with ordinality as given (
            owner, place, event_id, event_type, data, metadata, encoding, happened, number
        )
        where befores[coalesce(given.owner, given.number)] is not null
        returning position
    )
    select array_agg(position order by position) into positions from inserted;

    for number in 1 .. cardinality(stream_ids) loop
        stream_version := versions[number];
        last_position := null;
        if befores[number] is not null then  -- positions were drawn in the order of the events
            written := written + coalesce(sizes[number], 1);
            last_position := positions[written];
        end if;
        return next;
    end loop;
end
$$;

comment on function {schema}.append_v1 is 'revision 2 for {schema_text}';
