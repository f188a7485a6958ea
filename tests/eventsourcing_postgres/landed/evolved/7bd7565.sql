--
-- PostgreSQL database dump
--

-- Dumped from database version 16.2
-- Dumped by pg_dump version 16.2

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: eventsourcing; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA eventsourcing;


--
-- Name: landed_journal; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA landed_journal;


--
-- Name: landed_stored; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA landed_stored;


--
-- Name: advance(text, bigint, integer); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.advance(stream_id text, expected bigint, size integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    reached bigint;
begin
    case expected
        when 0 then
            insert into "eventsourcing".streams as s values (stream_id, size)
            on conflict do nothing
            returning s.version into reached;
        when -1 then
            insert into "eventsourcing".streams as s values (stream_id, size)
            on conflict (id) do update set version = s.version + excluded.version
            returning s.version into reached;
        when -2 then
            update "eventsourcing".streams as s set version = s.version + size
            where s.id = stream_id
            returning s.version into reached;
        else
            update "eventsourcing".streams as s set version = s.version + size
            where s.id = stream_id and s.version = expected
            returning s.version into reached;
    end case;
    return reached;
end
$$;


--
-- Name: advance_v1(text, bigint, integer); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.advance_v1(stream_id text, expected bigint, size integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    reached bigint;
begin
    case expected
        when 0 then
            insert into "eventsourcing".streams as s (id, version) values (stream_id, size)
            on conflict do nothing
            returning s.version into reached;
        when -1 then
            insert into "eventsourcing".streams as s (id, version) values (stream_id, size)
            on conflict (id) do update set version = s.version + excluded.version
            returning s.version into reached;
        when -2 then
            update "eventsourcing".streams as s set version = s.version + size
            where s.id = stream_id
            returning s.version into reached;
        else
            update "eventsourcing".streams as s set version = s.version + size
            where s.id = stream_id and s.version = expected
            returning s.version into reached;
    end case;
    return reached;
end
$$;


--
-- Name: FUNCTION advance_v1(stream_id text, expected bigint, size integer); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.advance_v1(stream_id text, expected bigint, size integer) IS 'revision 1 for "eventsourcing"';


--
-- Name: append(text[], bigint[], integer[], integer[], integer[], uuid[], text[], bytea[], bytea[], text[], bigint[], text, boolean); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.append(stream_ids text[], expected bigint[], sizes integer[], owners integer[], places integer[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean) RETURNS TABLE(stream_version bigint, last_position bigint)
    LANGUAGE plpgsql
    AS $$
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
            insert into "eventsourcing".streams as s
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
                reached := "eventsourcing".advance(stream_ids[number], expected[number], size);
            exception when lock_not_available then
                is_held := true;
                continue;
            end;
        else
            reached := "eventsourcing".advance(stream_ids[number], expected[number], size);
        end if;
        befores[number] := reached - size;
        versions[number] := coalesce(reached, "eventsourcing".version_of(stream_ids[number]));
        if reached is null and (
            versions[number] = expected[number] or expected[number] = -2 and versions[number] > 0
        ) then  -- it moved between the two statements, and would fit now: somebody is at work on it
            is_held := true;
            versions[number] := null;
        end if;
    end loop;

    -- 2. The floor.
    if patience is not null then
        is_published := pg_advisory_xact_lock_shared("eventsourcing".floor_key()) is not null;
    else
        is_published := "eventsourcing".publish_first_floor();
    end if;

    -- 3. Only then the positions.
    with inserted as (
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'),
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


--
-- Name: append_one(text, bigint, uuid, text, bytea, bytea, text, bigint, text); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.append_one(stream_id text, expected bigint, event_id uuid, event_type text, data bytea, metadata bytea, encoding text, happened bigint, patience text) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
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
        insert into "eventsourcing".streams as s values (stream_id, 1)
        on conflict do nothing
        returning s.version into reached;
    elsif expected > 0 then
        update "eventsourcing".streams as s set version = s.version + 1
        where s.id = stream_id and s.version = expected
        returning s.version into reached;
    else
        reached := "eventsourcing".advance(stream_id, expected, 1);
    end if;
    if reached is null then
        return array["eventsourcing".version_of(stream_id), null];
    end if;

    if patience is not null then
        is_published := pg_advisory_xact_lock_shared("eventsourcing".floor_key()) is not null;
    else
        is_published := "eventsourcing".publish_first_floor();
    end if;

    insert into "eventsourcing".events (
        position, stream_id, version, event_id, event_type,
        data, metadata, encoding, "timestamp"
    ) values (
        nextval('"eventsourcing".events_position'), stream_id, reached, event_id, event_type,
        data, metadata, encoding, happened
    )
    returning position into drawn;
    return array[reached, drawn];
end
$$;


--
-- Name: append_one_v1(text, bigint, uuid, text, bytea, bytea, text, bigint, text); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.append_one_v1(stream_id text, expected bigint, event_id uuid, event_type text, data bytea, metadata bytea, encoding text, happened bigint, patience text) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
declare
    reached bigint;
    drawn bigint;
    setting text;
    is_published boolean;
begin
    if patience is not null then
        setting := set_config('lock_timeout', patience, true);
    end if;

    -- As advance_v1 does, without a call in the usual cases.
    if expected = 0 then
        insert into "eventsourcing".streams as s (id, version) values (stream_id, 1)
        on conflict do nothing
        returning s.version into reached;
    elsif expected > 0 then
        update "eventsourcing".streams as s set version = s.version + 1
        where s.id = stream_id and s.version = expected
        returning s.version into reached;
    else
        reached := "eventsourcing".advance_v1(stream_id, expected, 1);
    end if;
    if reached is null then
        return array["eventsourcing".version_of_v1(stream_id), null];
    end if;

    if patience is not null then
        is_published := pg_advisory_xact_lock_shared("eventsourcing".floor_key_v1()) is not null;
    else
        is_published := "eventsourcing".publish_first_floor_v1();
    end if;

    insert into "eventsourcing".events (
        position, stream_id, version, event_id, event_type,
        data, metadata, encoding, "timestamp"
    ) values (
        nextval('"eventsourcing".events_position'), stream_id, reached, event_id, event_type,
        data, metadata, encoding, happened
    )
    returning position into drawn;
    return array[reached, drawn];
end
$$;


--
-- Name: FUNCTION append_one_v1(stream_id text, expected bigint, event_id uuid, event_type text, data bytea, metadata bytea, encoding text, happened bigint, patience text); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.append_one_v1(stream_id text, expected bigint, event_id uuid, event_type text, data bytea, metadata bytea, encoding text, happened bigint, patience text) IS 'revision 1 for "eventsourcing"';


--
-- Name: append_v1(text[], bigint[], integer[], integer[], integer[], uuid[], text[], bytea[], bytea[], text[], bigint[], text, boolean); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.append_v1(stream_ids text[], expected bigint[], sizes integer[], owners integer[], places integer[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean) RETURNS TABLE(stream_version bigint, last_position bigint)
    LANGUAGE plpgsql
    AS $$
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

    -- 1. Streams first. New ones by one statement for all, which takes less time.
    if are_new then
        with made as (
            insert into "eventsourcing".streams as s (id, version)
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
                reached := "eventsourcing".advance_v1(stream_ids[number], expected[number], size);
            exception when lock_not_available then
                is_held := true;
                continue;
            end;
        else
            reached := "eventsourcing".advance_v1(stream_ids[number], expected[number], size);
        end if;
        befores[number] := reached - size;
        versions[number] := coalesce(reached, "eventsourcing".version_of_v1(stream_ids[number]));
        if reached is null and (
            versions[number] = expected[number] or expected[number] = -2 and versions[number] > 0
        ) then  -- it moved between the two statements, and would fit now: somebody is at work on it
            is_held := true;
            versions[number] := null;
        end if;
    end loop;

    -- 2. The floor.
    if patience is not null then
        is_published := pg_advisory_xact_lock_shared("eventsourcing".floor_key_v1()) is not null;
    else
        is_published := "eventsourcing".publish_first_floor_v1();
    end if;

    -- 3. Only then the positions. The simple case is the most frequent one: for small batches it takes
    -- three quarters of the time of the other.
    if is_simple then
        return query
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'), given.stream_id, 1,
            given.event_id, given.event_type, given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            stream_ids, event_ids, event_types, datas, metadatas, encodings, timestamps
        ) as given (stream_id, event_id, event_type, data, metadata, encoding, happened)
        returning events.version, events.position;
        return;
    end if;
    with inserted as (
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'),
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


--
-- Name: FUNCTION append_v1(stream_ids text[], expected bigint[], sizes integer[], owners integer[], places integer[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.append_v1(stream_ids text[], expected bigint[], sizes integer[], owners integer[], places integer[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean) IS 'revision 1 for "eventsourcing"';


--
-- Name: append_v2(text[], bigint[], integer[], text[], bigint[], uuid[], text[], bytea[], bytea[], text[], bigint[], text, boolean); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.append_v2(stream_ids text[], expected bigint[], sizes integer[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean) RETURNS TABLE(stream_version bigint, last_position bigint)
    LANGUAGE plpgsql
    AS $$
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
    owners integer[];  -- of each event: the number of its append, and its own number in that
    places integer[];
    positions bigint[];
    written integer := 0;
    is_written boolean;  -- all that was given
    setting text;
    is_published boolean;
begin
    if patience is not null then
        setting := set_config('lock_timeout', patience, true);
    end if;

    -- 1. Streams first. New ones by one statement for all, which takes less time.
    if are_new then
        with made as (
            insert into "eventsourcing".streams as s (id, version)
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
                reached := "eventsourcing".advance_v1(stream_ids[number], expected[number], size);
            exception when lock_not_available then
                is_held := true;
                continue;
            end;
        else
            reached := "eventsourcing".advance_v1(stream_ids[number], expected[number], size);
        end if;
        befores[number] := reached - size;
        versions[number] := coalesce(reached, "eventsourcing".version_of_v1(stream_ids[number]));
        if reached is null and (
            versions[number] = expected[number] or expected[number] = -2 and versions[number] > 0
        ) then  -- it moved between the two statements, and would fit now: somebody is at work on it
            is_held := true;
            versions[number] := null;
        end if;
    end loop;

    -- 2. The floor.
    if patience is not null then
        is_published := pg_advisory_xact_lock_shared("eventsourcing".floor_key_v1()) is not null;
    else
        is_published := "eventsourcing".publish_first_floor_v1();
    end if;

    -- 3. Only then the positions. The simple case is the most frequent one: for small batches it takes
    -- three quarters of the time of the other.
    if is_simple then
        return query
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'), given.stream_id, 1,
            given.event_id, coalesce(given.event_type, event_types[1]), given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            stream_ids, event_ids, event_types, datas, metadatas, encodings, timestamps
        ) as given (stream_id, event_id, event_type, data, metadata, encoding, happened)
        returning events.version, events.position;
        return;
    end if;
    if event_streams is not null then
        is_written := array_position(befores, null) is null;
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'), given.stream_id, given.version,
            given.event_id, coalesce(given.event_type, event_types[1]), given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            event_streams, event_versions, event_ids, event_types, datas, metadatas, encodings,
            timestamps
        ) as given (
            stream_id, version, event_id, event_type, data, metadata, encoding, happened
        )
        where is_written;
    elsif cardinality(stream_ids) = 1 then
        is_written := befores[1] is not null;
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'), stream_ids[1], befores[1] + given.number,
            given.event_id, coalesce(given.event_type, event_types[1]), given.data, given.metadata,
            coalesce(given.encoding, encodings[1]), given.happened
        from unnest(
            event_ids, event_types, datas, metadatas, encodings, timestamps
        ) with ordinality as given (
            event_id, event_type, data, metadata, encoding, happened, number
        )
        where is_written;
    end if;
    if is_written is not null then  -- by one of the two
        return query
        select
            versions[given.number],
            case when is_written then currval('"eventsourcing".events_position') end
        from generate_subscripts(stream_ids, 1) as given (number);
        return;
    end if;

    if sizes is not null then
        -- In this order, since the second function is called for each row of the first.
        select array_agg(given.number), array_agg(place) into owners, places
        from unnest(sizes) with ordinality as given (size, number),
            generate_series(1, given.size) as place;
    end if;
    with inserted as (
        insert into "eventsourcing".events (
            position, stream_id, version, event_id, event_type,
            data, metadata, encoding, "timestamp"
        )
        select
            nextval('"eventsourcing".events_position'),
            stream_ids[coalesce(given.owner, given.number)],
            befores[coalesce(given.owner, given.number)] + coalesce(given.place, 1),
            given.event_id, coalesce(given.event_type, event_types[1]), given.data, given.metadata,
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


--
-- Name: FUNCTION append_v2(stream_ids text[], expected bigint[], sizes integer[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.append_v2(stream_ids text[], expected bigint[], sizes integer[], event_streams text[], event_versions bigint[], event_ids uuid[], event_types text[], datas bytea[], metadatas bytea[], encodings text[], timestamps bigint[], patience text, skips_held boolean) IS 'revision 1 for "eventsourcing"';


--
-- Name: check_inline(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.check_inline() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    given text := coalesce(current_setting('eventsourcing.inline', true), '');
begin
    if given <> tg_argv[0] then
        raise exception 'these events would be missing in projections that are inline'
            using errcode = 'ESI01',
                  detail = format('wanted "%s", given "%s"', tg_argv[0], given),
                  hint = 'Append with the library, and open the backend with the same inline=.';
    end if;
    return null;
end
$$;


--
-- Name: floor_key(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.floor_key() RETURNS bigint
    LANGUAGE sql
    AS $$
    select ("eventsourcing".lock_class() << 48)
        | coalesce(pg_sequence_last_value('"eventsourcing".events_position'), 0)
$$;


--
-- Name: floor_key_v1(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.floor_key_v1() RETURNS bigint
    LANGUAGE sql
    AS $$
    select ("eventsourcing".lock_class() << 48)
        | coalesce(pg_sequence_last_value('"eventsourcing".events_position'), 0)
$$;


--
-- Name: FUNCTION floor_key_v1(); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.floor_key_v1() IS 'revision 1 for "eventsourcing"';


--
-- Name: horizon(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.horizon() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    drawn bigint;
    lowest bigint;
begin
    if pg_is_in_recovery() then  -- the locks are on the primary
        raise exception 'a standby cannot tell which appends are in flight'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Read all streams from the primary.';
    end if;

    select case when is_called then last_value else 0 end into drawn
    from "eventsourcing".events_position;

    select min(floor) into lowest from "eventsourcing".floors;

    return least(drawn, lowest);
end
$$;


--
-- Name: horizon_v1(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.horizon_v1() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    drawn bigint;
    lowest bigint;
begin
    if pg_is_in_recovery() then  -- the locks are on the primary
        raise exception 'a standby cannot tell which appends are in flight'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Read all streams from the primary.';
    end if;

    select case when is_called then last_value else 0 end into drawn
    from "eventsourcing".events_position;

    select min(floor) into lowest from "eventsourcing".floors;

    return least(drawn, lowest);
end
$$;


--
-- Name: FUNCTION horizon_v1(); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.horizon_v1() IS 'revision 1 for "eventsourcing"';


--
-- Name: events_position; Type: SEQUENCE; Schema: eventsourcing; Owner: -
--

CREATE SEQUENCE eventsourcing.events_position
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: lock_class(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.lock_class() RETURNS bigint
    LANGUAGE sql STABLE
    RETURN (1 + ((('eventsourcing.events_position'::regclass)::oid)::bigint % (65535)::bigint));


--
-- Name: publish_first_floor(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.publish_first_floor() RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    -- By the sequence's own id: two stores may share a lock class.
    published text :=
        'eventsourcing.floor_' || '"eventsourcing".events_position'::regclass::oid::text;
begin
    if coalesce(current_setting(published, true), '') = '' then
        perform pg_advisory_xact_lock_shared("eventsourcing".floor_key());
        perform set_config(published, 'yes', true);
    end if;
    return true;
end
$$;


--
-- Name: publish_first_floor_v1(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.publish_first_floor_v1() RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    -- By the sequence's own id: two stores may share a lock class.
    published text :=
        'eventsourcing.floor_' || '"eventsourcing".events_position'::regclass::oid::text;
begin
    if coalesce(current_setting(published, true), '') = '' then
        perform pg_advisory_xact_lock_shared("eventsourcing".floor_key_v1());
        perform set_config(published, 'yes', true);
    end if;
    return true;
end
$$;


--
-- Name: FUNCTION publish_first_floor_v1(); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.publish_first_floor_v1() IS 'revision 1 for "eventsourcing"';


--
-- Name: refuse_change(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_setting('eventsourcing.allow_change', true) = 'on' then
        return null;
    end if;
    raise exception 'events are never changed or deleted'
        using errcode = 'restrict_violation',
              hint = 'If you must: set eventsourcing.allow_change = ''on'' in this session.';
end
$$;


--
-- Name: refuse_commit_of_batch(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.refuse_commit_of_batch() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
declare
    touch text := format(
        'update %I.%I set position = position where name = $1 and version = $2 and low = $3',
        tg_table_schema, tg_table_name
    );
begin
    if current_setting('eventsourcing.batch', true) = 'asked' then
        perform set_config('eventsourcing.batch', 'early', true);
        return null;
    elsif current_setting('eventsourcing.batch', true) is distinct from new.low::text then
        return null;
    end if;
    perform set_config('eventsourcing.batch', 'asked', true);
    execute touch using new.name, new.version, new.low;
    if current_setting('eventsourcing.batch') = 'early' then
        execute format('set constraints %I.%I deferred', tg_table_schema, tg_name);
        execute touch using new.name, new.version, new.low;
        perform set_config('eventsourcing.batch', new.low::text, true);
        return null;
    end if;
    raise exception 'the code of a projection has committed the transaction that it was called in'
        using errcode = 'invalid_transaction_termination',
              hint = 'Leave the end of the transaction to the projector: neither commit nor roll back.';
end
$_$;


--
-- Name: version_of(text); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.version_of(stream_id text) RETURNS bigint
    LANGUAGE sql
    AS $$
    select coalesce((select s.version from "eventsourcing".streams as s where s.id = stream_id), 0)
$$;


--
-- Name: version_of_v1(text); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.version_of_v1(stream_id text) RETURNS bigint
    LANGUAGE sql
    AS $$
    select coalesce((select s.version from "eventsourcing".streams as s where s.id = stream_id), 0)
$$;


--
-- Name: FUNCTION version_of_v1(stream_id text); Type: COMMENT; Schema: eventsourcing; Owner: -
--

COMMENT ON FUNCTION eventsourcing.version_of_v1(stream_id text) IS 'revision 1 for "eventsourcing"';


--
-- Name: floors; Type: VIEW; Schema: eventsourcing; Owner: -
--

CREATE VIEW eventsourcing.floors AS
 SELECT pid,
    ((((classid)::bigint & (65535)::bigint) << 32) | (objid)::bigint) AS floor
   FROM pg_locks locks
  WHERE ((locktype = 'advisory'::text) AND (mode = 'ShareLock'::text) AND granted AND (objsubid = 1) AND (((classid)::bigint >> 16) = eventsourcing.lock_class()) AND (database = ( SELECT pg_database.oid
           FROM pg_database
          WHERE (pg_database.datname = current_database()))));


--
-- Name: appenders; Type: VIEW; Schema: eventsourcing; Owner: -
--

CREATE VIEW eventsourcing.appenders AS
 SELECT floors.pid,
    floors.floor,
    activity.xact_start AS since,
    activity.state,
    activity.application_name
   FROM (eventsourcing.floors
     LEFT JOIN pg_stat_activity activity ON ((activity.pid = floors.pid)));


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: events; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.events (
    "position" bigint NOT NULL,
    stream_id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL COLLATE pg_catalog."C",
    data bytea NOT NULL,
    metadata bytea,
    encoding text NOT NULL COLLATE pg_catalog."C",
    "timestamp" bigint NOT NULL,
    tags text[] COLLATE pg_catalog."C"
);


--
-- Name: inline_handlers; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE UNLOGGED TABLE eventsourcing.inline_handlers (
    low integer NOT NULL,
    name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    version bigint DEFAULT 0 NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');


--
-- Name: parked_events; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.parked_events (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL
);


--
-- Name: parked_keys; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.parked_keys (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    hash integer NOT NULL,
    attempts integer NOT NULL,
    error text NOT NULL,
    next_try timestamp with time zone,
    wish text COLLATE pg_catalog."C",
    CONSTRAINT parked_keys_wish CHECK ((wish = ANY (ARRAY['retry'::text, 'skip'::text])))
);


--
-- Name: projection_claims; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE UNLOGGED TABLE eventsourcing.projection_claims (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    low integer NOT NULL,
    owner text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: projection_segments; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.projection_segments (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    low integer NOT NULL,
    high integer NOT NULL,
    "position" bigint NOT NULL,
    event_position bigint,
    event_id uuid,
    epoch bigint NOT NULL,
    own_schema text,
    CONSTRAINT projection_segments_checkpoint CHECK (((event_position IS NULL) = (event_id IS NULL))),
    CONSTRAINT projection_segments_hashes CHECK (((0 <= low) AND (low <= high) AND (high <= 65535)))
)
WITH (fillfactor='50');


--
-- Name: projection_workers; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE UNLOGGED TABLE eventsourcing.projection_workers (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    owner text NOT NULL COLLATE pg_catalog."C",
    until timestamp with time zone NOT NULL,
    max_segments integer,
    last_error text
)
WITH (fillfactor='50');


--
-- Name: projections; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.projections (
    name text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    class_name text NOT NULL COLLATE pg_catalog."C",
    indexes text[] NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    is_paused boolean DEFAULT false NOT NULL,
    switching_until timestamp with time zone,
    wanted_segments integer NOT NULL,
    inline_from bigint,
    event_types text[] DEFAULT '{}'::text[] COLLATE pg_catalog."C",
    CONSTRAINT projections_kind CHECK ((kind = ANY (ARRAY['view'::text, 'projection'::text, 'reactor'::text]))),
    CONSTRAINT projections_state CHECK ((state = ANY (ARRAY['building'::text, 'live'::text, 'retired'::text]))),
    CONSTRAINT projections_wanted_segments CHECK (((wanted_segments >= 1) AND (wanted_segments <= 1024)))
);


--
-- Name: readable_events; Type: VIEW; Schema: eventsourcing; Owner: -
--

CREATE VIEW eventsourcing.readable_events AS
 SELECT events."position",
    events.stream_id,
    events.version,
    events.event_type,
    events.event_id,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((events."timestamp" / 1000000))::double precision * '00:00:01'::interval)) + (((events."timestamp" % (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS happened_at,
    events.encoding,
    events.data,
    events.metadata,
        CASE
            WHEN judged.is_text THEN convert_from(events.data, 'UTF8'::name)
            ELSE NULL::text
        END AS data_text,
        CASE
            WHEN judged.is_text THEN convert_from(events.metadata, 'UTF8'::name)
            ELSE NULL::text
        END AS metadata_text,
    events.tags
   FROM eventsourcing.events,
    LATERAL ( SELECT ((events.encoding = 'json'::text) AND (getdatabaseencoding() = 'UTF8'::name)) AS is_text) judged;


--
-- Name: schema_migrations; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: snapshots; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.snapshots (
    aggregate_id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    state bytea NOT NULL,
    encoding text NOT NULL COLLATE pg_catalog."C",
    state_version text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL
);


--
-- Name: streams; Type: TABLE; Schema: eventsourcing; Owner: -
--

CREATE TABLE eventsourcing.streams (
    id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    first_version bigint DEFAULT 1 NOT NULL,
    deleted_at bigint,
    archived_at bigint
);


--
-- Name: journal; Type: TABLE; Schema: landed_journal; Owner: -
--

CREATE TABLE landed_journal.journal (
    shelf text,
    amount numeric
);


--
-- Name: view; Type: TABLE; Schema: landed_stored; Owner: -
--

CREATE TABLE landed_stored.view (
    key text NOT NULL COLLATE pg_catalog."C",
    value jsonb NOT NULL
);


--
-- Data for Name: events; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.events VALUES (1, 'landed_shelf-json', 1, '01a22f9a-26ed-7e1b-9596-097bba800a44', 'landed.shelf_labelled', '\x7b226c6162656c223a225a6fc3ab227d', NULL, 'json', 1796094961389920, NULL);
INSERT INTO eventsourcing.events VALUES (2, 'landed_shelf-json', 2, '01a22f9a-26ee-759d-963e-3cd41b3e39e0', 'landed.pieces_put', '\x7b22706965636573223a31307d', NULL, 'json', 1796094961390353, NULL);
INSERT INTO eventsourcing.events VALUES (3, 'landed_shelf-json', 3, '01a22f9a-26ee-78cf-8fd9-6a13c393e80b', 'landed.pieces_moved', '\x7b22706965636573223a352c226261636b223a347d', NULL, 'json', 1796094961390552, NULL);
INSERT INTO eventsourcing.events VALUES (4, 'landed_shelf-json', 4, '01a22f9a-26ee-7c78-8b60-407a7e73d11e', 'landed.shelf_dusted', '\x7b226279223a225a6fc3ab227d', NULL, 'json', 1796094961390781, NULL);
INSERT INTO eventsourcing.events VALUES (5, 'landed_shelf-json', 5, '01a22f9a-26ee-7fbd-8ffe-18bc31ee1bdf', 'landed.pieces_put', '\x7b22706965636573223a317d', NULL, 'json', 1796094961390985, NULL);
INSERT INTO eventsourcing.events VALUES (6, 'landed_shelf-msgpack', 1, '01a22f9a-26f7-7656-87a7-875ace45a1bc', 'landed.shelf_labelled', '\x7b226c6162656c223a225a6fc3ab227d', NULL, 'json', 1796094961399405, NULL);
INSERT INTO eventsourcing.events VALUES (7, 'landed_shelf-msgpack', 2, '01a22f9a-26f7-76d6-b37d-9f3c3e015be5', 'landed.pieces_put', '\x7b22706965636573223a31307d', NULL, 'json', 1796094961399428, NULL);
INSERT INTO eventsourcing.events VALUES (8, 'landed_shelf-msgpack', 3, '01a22f9a-26f7-7705-8719-453e9cb0c9c8', 'landed.pieces_moved', '\x7b22706965636573223a352c226261636b223a347d', NULL, 'json', 1796094961399440, NULL);
INSERT INTO eventsourcing.events VALUES (9, 'landed_shelf-msgpack', 4, '01a22f9a-26f7-772f-b87b-5b63e9fd9739', 'landed.shelf_dusted', '\x7b226279223a225a6fc3ab227d', NULL, 'json', 1796094961399450, NULL);
INSERT INTO eventsourcing.events VALUES (10, 'landed_shelf-msgpack', 5, '01a22f9a-26f7-7747-96c6-555fa4da1571', 'landed.pieces_put', '\x7b22706965636573223a317d', NULL, 'json', 1796094961399455, NULL);
INSERT INTO eventsourcing.events VALUES (11, 'landed_shelf-deflate', 1, '01a22f9a-26f9-74ac-8c8c-7e76e5c06852', 'landed.shelf_labelled', '\x7b226c6162656c223a225a6fc3ab227d', NULL, 'json', 1796094961401295, NULL);
INSERT INTO eventsourcing.events VALUES (12, 'landed_shelf-deflate', 2, '01a22f9a-26f9-74dc-b01d-131e77fa31e5', 'landed.pieces_put', '\x7b22706965636573223a31307d', NULL, 'json', 1796094961401304, NULL);
INSERT INTO eventsourcing.events VALUES (13, 'landed_shelf-deflate', 3, '01a22f9a-26f9-74f3-a0c0-91e9fb5b136b', 'landed.pieces_moved', '\x7b22706965636573223a352c226261636b223a347d', NULL, 'json', 1796094961401310, NULL);
INSERT INTO eventsourcing.events VALUES (14, 'landed_shelf-deflate', 4, '01a22f9a-26f9-7504-8cc0-296963a76bf6', 'landed.shelf_dusted', '\x7b226279223a225a6fc3ab227d', NULL, 'json', 1796094961401314, NULL);
INSERT INTO eventsourcing.events VALUES (15, 'landed_shelf-deflate', 5, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 'landed.pieces_put', '\x7b22706965636573223a317d', NULL, 'json', 1796094961401317, NULL);
INSERT INTO eventsourcing.events VALUES (16, 'landed_shelf-json', 6, '92107335-615a-5121-b882-aae9b55c323a', 'landed.pieces_put.v3', '\x7b22616d6f756e74223a2232222c22756e6974223a227069656365227d', NULL, 'json', 1796094961532598, NULL);
INSERT INTO eventsourcing.events VALUES (17, 'landed_shelf-json', 7, '199684f7-ece7-5612-a690-3c77beed6593', 'landed.pieces_put.v3', '\x7b22616d6f756e74223a2232222c22756e6974223a227069656365227d', NULL, 'json', 1796094961544194, NULL);
INSERT INTO eventsourcing.events VALUES (18, 'landed_shelf-json', 8, '845e45a0-7f64-5cbb-8220-599dc52bcf57', 'landed.pieces_put.v3', '\x7b22616d6f756e74223a2232222c22756e6974223a227069656365227d', NULL, 'json', 1796094961547866, NULL);
INSERT INTO eventsourcing.events VALUES (19, 'landed_shelf-json', 9, '01a22f9a-2798-73e2-94ba-7bee97da645b', 'landed.shelf_scented', '\x7b226279223a226a736f6e227d', NULL, 'json', 1796094961560250, NULL);
INSERT INTO eventsourcing.events VALUES (20, 'landed_shelf-msgpack', 6, 'bfbb2eb4-80df-54cc-a473-16b0555411d0', 'landed.pieces_put.v3', '\x82a6616d6f756e74a132a4756e6974a57069656365', NULL, 'msgpack', 1796094961629898, NULL);
INSERT INTO eventsourcing.events VALUES (21, 'landed_shelf-msgpack', 7, 'dc91bad0-f3b0-53eb-a056-5fcf5a295be0', 'landed.pieces_put.v3', '\x82a6616d6f756e74a132a4756e6974a57069656365', NULL, 'msgpack', 1796094961655507, NULL);
INSERT INTO eventsourcing.events VALUES (22, 'landed_shelf-msgpack', 8, '303232a7-6b36-5648-a4d3-8f58e643564e', 'landed.pieces_put.v3', '\x82a6616d6f756e74a132a4756e6974a57069656365', NULL, 'msgpack', 1796094961658320, NULL);
INSERT INTO eventsourcing.events VALUES (23, 'landed_shelf-msgpack', 9, '01a22f9a-2806-77bf-b01e-ed78f334ff0a', 'landed.shelf_scented', '\x81a26279a76d73677061636b', NULL, 'msgpack', 1796094961670494, NULL);
INSERT INTO eventsourcing.events VALUES (24, 'landed_shelf-deflate', 6, 'ae49e179-b2f9-5d77-a1ab-c13bd5dd21ea', 'landed.pieces_put.v3', '\x789cab564acccd2fcd2b51b2523252d2512acdcb04310b32539353956a018a630935', NULL, 'json+deflate', 1796094961739795, NULL);
INSERT INTO eventsourcing.events VALUES (25, 'landed_shelf-deflate', 7, '60c4beb2-1193-5271-9675-de7bf2879b84', 'landed.pieces_put.v3', '\x789cab564acccd2fcd2b51b2523252d2512acdcb04310b32539353956a018a630935', NULL, 'json+deflate', 1796094961765840, NULL);
INSERT INTO eventsourcing.events VALUES (26, 'landed_shelf-deflate', 8, 'f9871d67-4a4b-533d-87fd-713fbf3d83eb', 'landed.pieces_put.v3', '\x789cab564acccd2fcd2b51b2523252d2512acdcb04310b32539353956a018a630935', NULL, 'json+deflate', 1796094961768718, NULL);
INSERT INTO eventsourcing.events VALUES (27, 'landed_shelf-deflate', 9, '01a22f9a-2874-722e-bec4-c38153f02501', 'landed.shelf_scented', '\x789cab564aaa54b2524a494dcb492c4955aa05002c4c056b', NULL, 'json+deflate', 1796094961780142, NULL);


--
-- Data for Name: inline_handlers; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.inline_handlers VALUES (20570, '', 0, 0);
INSERT INTO eventsourcing.inline_handlers VALUES (20575, '', 0, 0);
INSERT INTO eventsourcing.inline_handlers VALUES (20579, '', 0, 0);


--
-- Data for Name: parked_events; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: parked_keys; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: projection_claims; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: projection_segments; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 0, 8191, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 8192, 16383, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 16384, 24575, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 24576, 32767, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 32768, 40959, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 40960, 49151, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 49152, 57343, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-journal', 1, 57344, 65535, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_journal');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 0, 8191, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 8192, 16383, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 16384, 24575, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 24576, 32767, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 32768, 40959, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 40960, 49151, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 49152, 57343, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-stored', 1, 57344, 65535, 15, 15, '01a22f9a-26f9-7511-9ef8-51d919bbd7fb', 1, 'landed_stored');


--
-- Data for Name: projection_workers; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: projections; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.projections VALUES ('landed-journal', 1, 'projection', 'Journal', '{}', 'live', false, NULL, 8, 15, '{landed.pieces_moved,landed.pieces_put,landed.pieces_put.v2,landed.pieces_put.v3}');
INSERT INTO eventsourcing.projections VALUES ('landed-stored', 1, 'view', 'Stored', '{}', 'live', false, NULL, 8, 15, '{landed.pieces_moved,landed.pieces_put,landed.pieces_put.v2,landed.pieces_put.v3,landed.pieces_taken}');


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.schema_migrations VALUES (1, 'tables', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (2, 'append', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (3, 'horizon', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (4, 'lifecycle_and_tags', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (5, 'projections', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (6, 'inline', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (7, 'event_types', '2026-12-01 03:16:01.354916+00');
INSERT INTO eventsourcing.schema_migrations VALUES (8, 'inline_handlers', '2026-12-01 03:16:01.354916+00');


--
-- Data for Name: snapshots; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.snapshots VALUES ('landed_shelf-json', 8, '\x7b226576656e745f6964223a7b222475756964223a2238343565343561302d376636342d356362622d383232302d353939646335326263663537227d2c227374617465223a7b226e616d65223a225a6fc3ab222c22616d6f756e74223a223138227d7d', 'json', '3:0c006f6f1f0cd66c', 1796094961550517);
INSERT INTO eventsourcing.snapshots VALUES ('landed_shelf-msgpack', 8, '\x82a86576656e745f6964c7240133303332333261372d366233362d353634382d613464332d386635386536343335363465a5737461746582a46e616d65a45a6fc3aba6616d6f756e74a23138', 'msgpack', '3:0c006f6f1f0cd66c', 1796094961660688);
INSERT INTO eventsourcing.snapshots VALUES ('landed_shelf-deflate', 8, '\x789c158bb10d802014057779b194827c1574141b03f99fc4022c041bc3448ee1624a7577c5dd904b52de76c672a32ba509c26c8de6c9a8c10d5e8d44acac09ac8ca6e003b125f1a83dceecb2b431b9f813ebf13ee8e1e25152fe5b5bd4fa01dc1f1e5b', 'json+deflate', '3:0c006f6f1f0cd66c', 1796094961770750);


--
-- Data for Name: streams; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.streams VALUES ('landed_shelf-json', 9, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('landed_shelf-msgpack', 9, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('landed_shelf-deflate', 9, 1, NULL, NULL);


--
-- Data for Name: journal; Type: TABLE DATA; Schema: landed_journal; Owner: -
--

INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 10);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 5);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 1);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 10);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 5);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 1);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 10);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 5);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 1);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-json', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-msgpack', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 2);
INSERT INTO landed_journal.journal VALUES ('landed_shelf-deflate', 2);


--
-- Data for Name: view; Type: TABLE DATA; Schema: landed_stored; Owner: -
--

INSERT INTO landed_stored.view VALUES ('landed_shelf-json', '"18"');
INSERT INTO landed_stored.view VALUES ('landed_shelf-msgpack', '"18"');
INSERT INTO landed_stored.view VALUES ('landed_shelf-deflate', '"18"');


--
-- Name: events_position; Type: SEQUENCE SET; Schema: eventsourcing; Owner: -
--

SELECT pg_catalog.setval('eventsourcing.events_position', 27, true);


--
-- Name: events events_event_id; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.events
    ADD CONSTRAINT events_event_id UNIQUE (event_id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.events
    ADD CONSTRAINT events_pkey PRIMARY KEY ("position");


--
-- Name: events events_stream_version; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.events
    ADD CONSTRAINT events_stream_version UNIQUE (stream_id, version);


--
-- Name: inline_handlers inline_handlers_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.inline_handlers
    ADD CONSTRAINT inline_handlers_pkey PRIMARY KEY (low);


--
-- Name: parked_events parked_events_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.parked_events
    ADD CONSTRAINT parked_events_pkey PRIMARY KEY (name, version, key, "position");


--
-- Name: parked_keys parked_keys_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.parked_keys
    ADD CONSTRAINT parked_keys_pkey PRIMARY KEY (name, version, key);


--
-- Name: projection_claims projection_claims_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_claims
    ADD CONSTRAINT projection_claims_pkey PRIMARY KEY (name, version, low);


--
-- Name: projection_segments projection_segments_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_segments
    ADD CONSTRAINT projection_segments_pkey PRIMARY KEY (name, version, low);


--
-- Name: projection_workers projection_workers_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_workers
    ADD CONSTRAINT projection_workers_pkey PRIMARY KEY (name, version, owner);


--
-- Name: projections projections_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projections
    ADD CONSTRAINT projections_pkey PRIMARY KEY (name, version);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);


--
-- Name: snapshots snapshots_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (aggregate_id, version);


--
-- Name: streams streams_pkey; Type: CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (id);


--
-- Name: view view_pkey; Type: CONSTRAINT; Schema: landed_stored; Owner: -
--

ALTER TABLE ONLY landed_stored.view
    ADD CONSTRAINT view_pkey PRIMARY KEY (key);


--
-- Name: parked_events_position; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE INDEX parked_events_position ON eventsourcing.parked_events USING btree (name, version, "position");


--
-- Name: parked_keys_hash; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE INDEX parked_keys_hash ON eventsourcing.parked_keys USING btree (name, version, hash, key);


--
-- Name: parked_keys_next_try; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE INDEX parked_keys_next_try ON eventsourcing.parked_keys USING btree (name, version, next_try);


--
-- Name: parked_keys_wish; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE INDEX parked_keys_wish ON eventsourcing.parked_keys USING btree (name, version) WHERE (wish IS NOT NULL);


--
-- Name: projection_claims_owner; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE INDEX projection_claims_owner ON eventsourcing.projection_claims USING btree (name, version, owner);


--
-- Name: projections_live; Type: INDEX; Schema: eventsourcing; Owner: -
--

CREATE UNIQUE INDEX projections_live ON eventsourcing.projections USING btree (name) WHERE (state = 'live'::text);


--
-- Name: events events_are_kept; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE TRIGGER events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON eventsourcing.events FOR EACH STATEMENT EXECUTE FUNCTION eventsourcing.refuse_change();


--
-- Name: events events_inline; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE TRIGGER events_inline BEFORE INSERT ON eventsourcing.events FOR EACH STATEMENT EXECUTE FUNCTION eventsourcing.check_inline('landed-journal:1, landed-stored:1');


--
-- Name: inline_handlers refuse_commit_of_append; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE CONSTRAINT TRIGGER refuse_commit_of_append AFTER INSERT OR UPDATE OF "position" ON eventsourcing.inline_handlers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION eventsourcing.refuse_commit_of_batch();


--
-- Name: projection_segments refuse_commit_of_batch; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE CONSTRAINT TRIGGER refuse_commit_of_batch AFTER INSERT OR UPDATE OF "position" ON eventsourcing.projection_segments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION eventsourcing.refuse_commit_of_batch();


--
-- Name: parked_events parked_events_name_version_key_fkey; Type: FK CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.parked_events
    ADD CONSTRAINT parked_events_name_version_key_fkey FOREIGN KEY (name, version, key) REFERENCES eventsourcing.parked_keys(name, version, key) ON DELETE CASCADE;


--
-- Name: parked_keys parked_keys_name_version_fkey; Type: FK CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.parked_keys
    ADD CONSTRAINT parked_keys_name_version_fkey FOREIGN KEY (name, version) REFERENCES eventsourcing.projections(name, version) ON DELETE CASCADE;


--
-- Name: projection_claims projection_claims_name_version_owner_fkey; Type: FK CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_claims
    ADD CONSTRAINT projection_claims_name_version_owner_fkey FOREIGN KEY (name, version, owner) REFERENCES eventsourcing.projection_workers(name, version, owner) ON DELETE CASCADE;


--
-- Name: projection_segments projection_segments_name_version_fkey; Type: FK CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_segments
    ADD CONSTRAINT projection_segments_name_version_fkey FOREIGN KEY (name, version) REFERENCES eventsourcing.projections(name, version) ON DELETE CASCADE;


--
-- Name: projection_workers projection_workers_name_version_fkey; Type: FK CONSTRAINT; Schema: eventsourcing; Owner: -
--

ALTER TABLE ONLY eventsourcing.projection_workers
    ADD CONSTRAINT projection_workers_name_version_fkey FOREIGN KEY (name, version) REFERENCES eventsourcing.projections(name, version) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

