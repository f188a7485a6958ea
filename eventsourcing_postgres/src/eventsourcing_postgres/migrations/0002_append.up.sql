-- The number that marks this store's advisory locks, in the upper 16 bits of their keys. It comes
-- from the sequence's own id, is never 0 (where other programs' small keys lie), and may change
-- with a restore: locks do not outlive a server.
create function {schema}.lock_class() returns bigint language sql stable as $$
    select 1 + '{schema_text}.events_position'::regclass::oid::bigint % 65535
$$;

-- Advance a stream by so many events: its new version, or null if it is not at the expected one, which
-- is a version, or -1: any, or -2: the stream exists. From here on no other append to the stream can
-- draw a position, so in a stream positions rise as versions do.
create function {schema}.advance(stream_id text, expected bigint, size integer) returns bigint
language plpgsql volatile as $$
declare
    reached bigint;
begin
    case expected
        when 0 then
            insert into {schema}.streams as s values (stream_id, size)
            on conflict do nothing
            returning s.version into reached;
        when -1 then
            insert into {schema}.streams as s values (stream_id, size)
            on conflict (id) do update set version = s.version + excluded.version
            returning s.version into reached;
        when -2 then
            update {schema}.streams as s set version = s.version + size
            where s.id = stream_id
            returning s.version into reached;
        else
            update {schema}.streams as s set version = s.version + size
            where s.id = stream_id and s.version = expected
            returning s.version into reached;
    end case;
    return reached;
end
$$;

-- The version of a stream; 0 if it is not there.
create function {schema}.version_of(stream_id text) returns bigint language sql volatile as $$
    select coalesce((select s.version from {schema}.streams as s where s.id = stream_id), 0)
$$;

-- The key of the lock that publishes the floor of a transaction: every position that it draws after
-- taking the lock will be above it. The lock is shared, so it waits for no other append, only for a
-- stranger who has it for himself; and it is released only after the commit is visible.
--
-- Here and below, functions are called in assignments, and those of one expression are written in
-- "sql": an expression takes less time than a statement, or a call.
create function {schema}.floor_key() returns bigint language sql volatile as $$
    select ({schema}.lock_class() << 48)
        | coalesce(pg_sequence_last_value('{schema_text}.events_position'), 0)
$$;

-- Publish the floor in the transaction of a caller, who may append in it again: he has published a
-- lower one then, unless a savepoint took it back, together with the setting that says so. Gives true.
create function {schema}.publish_first_floor() returns boolean language plpgsql volatile as $$
declare
    -- By the sequence's own id: two stores may share a lock class.
    published text :=
        'eventsourcing.floor_' || '{schema_text}.events_position'::regclass::oid::text;
begin
    if coalesce(current_setting(published, true), '') = '' then
        perform pg_advisory_xact_lock_shared({schema}.floor_key());
        perform set_config(published, 'yes', true);
    end if;
    return true;
end
$$;

-- Append to several streams in one transaction.
--
--   stream_ids, expected, sizes   one element per append, sorted by stream in "C" order, so that two
--                                 batches cannot deadlock; those of one stream in the order in
--                                 which they came, each judged by what the earlier ones left;
--                                 expected is that of the function advance
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
create function {schema}.append(
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
    unmet integer := 1;  -- its first element that the loop has not met
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

    -- 1. Streams first. New ones by one statement for all, which takes less time.
    if are_new then
        with made as (
            insert into {schema}.streams as s
            select given.id, coalesce(given.size, 1)
            from unnest(stream_ids, sizes) as given (id, size)
            on conflict do nothing
            returning s.id
        )
        select array_agg(made.id order by made.id) into created from made;
    end if;
    for number in 1 .. cardinality(stream_ids) loop
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
                reached := {schema}.advance(stream_ids[number], expected[number], size);
            exception when lock_not_available then
                is_held := true;
                continue;
            end;
        else
            reached := {schema}.advance(stream_ids[number], expected[number], size);
        end if;
        befores[number] := reached - size;
        versions[number] := coalesce(reached, {schema}.version_of(stream_ids[number]));
        if reached is null and (
            versions[number] = expected[number] or expected[number] = -2 and versions[number] > 0
        ) then  -- it moved between the two statements, and would fit now: somebody is at work on it
            is_held := true;
            versions[number] := null;
        end if;
    end loop;

    -- 2. The floor.
    if patience is not null then
        is_published := pg_advisory_xact_lock_shared({schema}.floor_key()) is not null;
    else
        is_published := {schema}.publish_first_floor();
    end if;

    -- 3. Only then the positions.
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

-- Append one event, in the same three steps: the most frequent case, in half of the time. Gives an
-- array of the stream's version and the position, as above.
create function {schema}.append_one(
    stream_id text,
    expected bigint,
    event_id uuid,
    event_type text,
    data bytea,
    metadata bytea,
    encoding text,
    happened bigint,
    patience text
) returns bigint[] language plpgsql volatile as $$
declare
    reached bigint;
    drawn bigint;
    setting text;
    is_published boolean;
begin
    if patience is not null then
        setting := set_config('lock_timeout', patience, true);
    end if;

    -- As advance does, without a call in the usual cases.
    if expected = 0 then
        insert into {schema}.streams as s values (stream_id, 1)
        on conflict do nothing
        returning s.version into reached;
    elsif expected > 0 then
        update {schema}.streams as s set version = s.version + 1
        where s.id = stream_id and s.version = expected
        returning s.version into reached;
    else
        reached := {schema}.advance(stream_id, expected, 1);
    end if;
    if reached is null then
        return array[{schema}.version_of(stream_id), null];
    end if;

    if patience is not null then
        is_published := pg_advisory_xact_lock_shared({schema}.floor_key()) is not null;
    else
        is_published := {schema}.publish_first_floor();
    end if;

    insert into {schema}.events (
        position, stream_id, version, event_id, event_type,
        data, metadata, encoding, "timestamp"
    ) values (
        nextval('{schema_text}.events_position'), stream_id, reached, event_id, event_type,
        data, metadata, encoding, happened
    )
    returning position into drawn;
    return array[reached, drawn];
end
$$;
