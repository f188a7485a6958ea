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
-- Name: landed_balances; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA landed_balances;


--
-- Name: landed_parked; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA landed_parked;


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
-- Name: view; Type: TABLE; Schema: landed_balances; Owner: -
--

CREATE TABLE landed_balances.view (
    key text NOT NULL COLLATE pg_catalog."C",
    value jsonb NOT NULL
);


--
-- Name: view; Type: TABLE; Schema: landed_parked; Owner: -
--

CREATE TABLE landed_parked.view (
    key text NOT NULL COLLATE pg_catalog."C",
    value jsonb NOT NULL
);


--
-- Data for Name: events; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.events VALUES (1, 'values-json', 1, '00000000-0000-0000-0000-0000000003e8', 'Valued', '\x7b2274657874223a225a6fc3ab205c753030303020e6bca220f09f8e892027205c5c202424227d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (2, 'values-json', 2, '00000000-0000-0000-0000-0000000003e9', 'Valued', '\x7b226279746573223a7b22246279746573223a224150383d227d7d', '\x7b2275736572223a22616e6e222c226279746573223a7b22246279746573223a224150383d227d7d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (3, 'values-json', 3, '00000000-0000-0000-0000-0000000003ea', 'Valued', '\x7b226964223a7b222475756964223a2230303030303030302d303030302d303030302d303030302d303030303030303030303037227d7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (4, 'values-json', 4, '00000000-0000-0000-0000-0000000003eb', 'Valued', '\x7b2274696d65223a7b22246461746574696d65223a22323032362d31312d32395431323a30303a30302e3132333435362b30303a3030227d7d', '\x7b2275736572223a22616e6e222c2274696d65223a7b22246461746574696d65223a22323032362d31312d32395431323a30303a30302e3132333435362b30303a3030227d7d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (5, 'values-json', 5, '00000000-0000-0000-0000-0000000003ec', 'Valued', '\x7b2264617465223a7b222464617465223a22323032362d30322d3238227d7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (6, 'values-json', 6, '00000000-0000-0000-0000-0000000003ed', 'Valued', '\x7b227370616e223a7b222474696d6564656c7461223a222d3836333939393939393939227d7d', '\x7b2275736572223a22616e6e222c227370616e223a7b222474696d6564656c7461223a222d3836333939393939393939227d7d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (7, 'values-json', 7, '00000000-0000-0000-0000-0000000003ee', 'Valued', '\x7b22616d6f756e74223a7b2224646563696d616c223a22312e3130227d7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (8, 'values-json', 8, '00000000-0000-0000-0000-0000000003ef', 'Valued', '\x7b226e756d62657273223a5b302c2d312c393030373139393235343734303939332c302e312c496e66696e6974792c4e614e5d7d', '\x7b2275736572223a22616e6e222c226e756d62657273223a5b302c2d312c393030373139393235343734303939332c302e312c496e66696e6974792c4e614e5d7d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (9, 'values-json', 9, '00000000-0000-0000-0000-0000000003f0', 'Valued', '\x7b226e6f7468696e67223a6e756c6c7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (10, 'values-json', 10, '00000000-0000-0000-0000-0000000003f1', 'Valued', '\x7b22242475756964223a7b22242424223a747275657d7d', '\x7b2275736572223a22616e6e222c222475756964223a7b22242424223a747275657d7d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (12, 'shared-json-1', 1, '01a22f9a-2106-7f20-a76e-67c187d6d422', 'Shared', '\x7b226e223a317d', NULL, 'json', 253402300799999999, NULL);
INSERT INTO eventsourcing.events VALUES (13, 'shared-json-1', 2, '01a22f9a-2106-7f31-a467-d9535324b590', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (14, 'shared-json-2', 1, '01a22f9a-2106-7f43-bff7-6b7767637325', 'Shared', '\x7b226e223a327d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (15, 'shared-json-2', 2, '01a22f9a-2106-7f50-897c-f3071aed1b2e', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (16, 'shared-json-0', 1, '01a22f9a-2106-7deb-85b9-64a4b17fefe4', 'Shared', '\x7b226e223a307d', NULL, 'json', -62135596800000000, NULL);
INSERT INTO eventsourcing.events VALUES (17, 'shared-json-0', 2, '01a22f9a-2106-7eff-b389-74999de485df', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (18, 'Account-json', 1, '01a22f9a-2111-7e78-9207-e6c83f7e3a54', 'landed.opened', '\x7b226f776e6572223a225a6fc3ab206a736f6e227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959889914, NULL);
INSERT INTO eventsourcing.events VALUES (19, 'Account-json', 2, '01a22f9a-2113-70ac-8cd5-05bc2f1c504d', 'landed.deposited', '\x7b22616d6f756e74223a22302e3031227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959891049, NULL);
INSERT INTO eventsourcing.events VALUES (20, 'Account-json', 3, '01a22f9a-2113-7e66-a91b-53b1a45179c9', 'landed.deposited', '\x7b22616d6f756e74223a22302e3032227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959891904, NULL);
INSERT INTO eventsourcing.events VALUES (21, 'Account-json', 4, '01a22f9a-2114-7460-b8e1-89cc1a8311e5', 'landed.deposited', '\x7b22616d6f756e74223a22302e3033227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959892277, NULL);
INSERT INTO eventsourcing.events VALUES (22, 'Account-json', 5, '01a22f9a-211e-76f4-850d-986145ccbcaf', 'landed.deposited', '\x7b22616d6f756e74223a22302e3034227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959902442, NULL);
INSERT INTO eventsourcing.events VALUES (23, 'Account-json', 6, '01a22f9a-211e-7ffb-8109-51b230b0826e', 'landed.deposited', '\x7b22616d6f756e74223a22302e3035227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959903003, NULL);
INSERT INTO eventsourcing.events VALUES (24, 'Account-json', 7, '01a22f9a-211f-7569-ac31-d7dc4b8d0ae7', 'landed.deposited', '\x7b22616d6f756e74223a22302e3036227d', '\x7b2275736572223a22616e6e227d', 'json', 1796094959903341, NULL);
INSERT INTO eventsourcing.events VALUES (25, 'brought-json-0', 1, '00000000-0000-0000-0000-0000000007d0', 'Brought', '\x7b226e223a307d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (26, 'brought-json-1', 1, '00000000-0000-0000-0000-0000000007d1', 'Brought', '\x7b226e223a317d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (27, 'brought-json-0', 2, '00000000-0000-0000-0000-0000000007d2', 'Brought', '\x7b226e223a327d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (28, 'brought-json-1', 2, '00000000-0000-0000-0000-0000000007d3', 'Brought', '\x7b226e223a337d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (29, 'brought-json-0', 3, '00000000-0000-0000-0000-0000000007d4', 'Brought', '\x7b226e223a347d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (30, 'brought-json-1', 3, '00000000-0000-0000-0000-0000000007d5', 'Brought', '\x7b226e223a357d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (31, 'values-msgpack', 1, '00000000-0000-0000-0000-000000000bb8', 'Valued', '\x81a474657874b65a6fc3ab200020e6bca220f09f8e892027205c202424', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (32, 'values-msgpack', 2, '00000000-0000-0000-0000-000000000bb9', 'Valued', '\x81a56279746573c40200ff', '\x82a475736572a3616e6ea56279746573c40200ff', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (33, 'values-msgpack', 3, '00000000-0000-0000-0000-000000000bba', 'Valued', '\x81a26964c7240130303030303030302d303030302d303030302d303030302d303030303030303030303037', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (34, 'values-msgpack', 4, '00000000-0000-0000-0000-000000000bbb', 'Valued', '\x81a474696d65c72002323032362d31312d32395431323a30303a30302e3132333435362b30303a3030', '\x82a475736572a3616e6ea474696d65c72002323032362d31312d32395431323a30303a30302e3132333435362b30303a3030', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (35, 'values-msgpack', 5, '00000000-0000-0000-0000-000000000bbc', 'Valued', '\x81a464617465c70a03323032362d30322d3238', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (36, 'values-msgpack', 6, '00000000-0000-0000-0000-000000000bbd', 'Valued', '\x81a47370616ec70c052d3836333939393939393939', '\x82a475736572a3616e6ea47370616ec70c052d3836333939393939393939', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (37, 'values-msgpack', 7, '00000000-0000-0000-0000-000000000bbe', 'Valued', '\x81a6616d6f756e74d606312e3130', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (38, 'values-msgpack', 8, '00000000-0000-0000-0000-000000000bbf', 'Valued', '\x81a76e756d626572739600ffcf0020000000000001cb3fb999999999999acb7ff0000000000000cb7ff8000000000000', '\x82a475736572a3616e6ea76e756d626572739600ffcf0020000000000001cb3fb999999999999acb7ff0000000000000cb7ff8000000000000', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (39, 'values-msgpack', 9, '00000000-0000-0000-0000-000000000bc0', 'Valued', '\x81a76e6f7468696e67c0', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (40, 'values-msgpack', 10, '00000000-0000-0000-0000-000000000bc1', 'Valued', '\x81a5247575696481a22424c3', '\x82a475736572a3616e6ea5247575696481a22424c3', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (42, 'shared-msgpack-1', 1, '01a22f9a-2168-75b2-9349-bb25906c654c', 'Shared', '\x81a16e01', NULL, 'msgpack', 253402300799999999, NULL);
INSERT INTO eventsourcing.events VALUES (43, 'shared-msgpack-1', 2, '01a22f9a-2168-75c2-8cfd-9bb26759ecc6', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (44, 'shared-msgpack-2', 1, '01a22f9a-2168-75d6-9f46-f3dfbe9dc17d', 'Shared', '\x81a16e02', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (45, 'shared-msgpack-2', 2, '01a22f9a-2168-75e5-a70f-8d4ed4ec2f84', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (46, 'shared-msgpack-0', 1, '01a22f9a-2168-7528-9caf-212e72da5f42', 'Shared', '\x81a16e00', NULL, 'msgpack', -62135596800000000, NULL);
INSERT INTO eventsourcing.events VALUES (47, 'shared-msgpack-0', 2, '01a22f9a-2168-7592-95aa-97bc8b77e30c', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (48, 'Account-msgpack', 1, '01a22f9a-2172-7abf-b446-c36f073dcf1a', 'landed.opened', '\x81a56f776e6572ac5a6fc3ab206d73677061636b', '\x81a475736572a3616e6e', 'msgpack', 1796094959986680, NULL);
INSERT INTO eventsourcing.events VALUES (49, 'Account-msgpack', 2, '01a22f9a-2173-7f77-ab67-7a3cf42061ee', 'landed.deposited', '\x81a6616d6f756e74a4302e3031', '\x81a475736572a3616e6e', 'msgpack', 1796094959987969, NULL);
INSERT INTO eventsourcing.events VALUES (50, 'Account-msgpack', 3, '01a22f9a-2175-72d1-bbc7-c35ae660bb89', 'landed.deposited', '\x81a6616d6f756e74a4302e3032', '\x81a475736572a3616e6e', 'msgpack', 1796094959989178, NULL);
INSERT INTO eventsourcing.events VALUES (51, 'Account-msgpack', 4, '01a22f9a-2175-7d6f-9416-ebcb59cb32d4', 'landed.deposited', '\x81a6616d6f756e74a4302e3033', '\x81a475736572a3616e6e', 'msgpack', 1796094959989842, NULL);
INSERT INTO eventsourcing.events VALUES (52, 'Account-msgpack', 5, '01a22f9a-2180-70b8-891d-5793b59bc0fe', 'landed.deposited', '\x81a6616d6f756e74a4302e3034', '\x81a475736572a3616e6e', 'msgpack', 1796094960000050, NULL);
INSERT INTO eventsourcing.events VALUES (53, 'Account-msgpack', 6, '01a22f9a-2180-779c-8171-1b45d462b97d', 'landed.deposited', '\x81a6616d6f756e74a4302e3035', '\x81a475736572a3616e6e', 'msgpack', 1796094960000478, NULL);
INSERT INTO eventsourcing.events VALUES (54, 'Account-msgpack', 7, '01a22f9a-2180-7bd5-aea3-f62c0ede16ac', 'landed.deposited', '\x81a6616d6f756e74a4302e3036', '\x81a475736572a3616e6e', 'msgpack', 1796094960000742, NULL);
INSERT INTO eventsourcing.events VALUES (55, 'brought-msgpack-0', 1, '00000000-0000-0000-0000-000000000fa0', 'Brought', '\x81a16e00', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (56, 'brought-msgpack-1', 1, '00000000-0000-0000-0000-000000000fa1', 'Brought', '\x81a16e01', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (57, 'brought-msgpack-0', 2, '00000000-0000-0000-0000-000000000fa2', 'Brought', '\x81a16e02', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (58, 'brought-msgpack-1', 2, '00000000-0000-0000-0000-000000000fa3', 'Brought', '\x81a16e03', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (59, 'brought-msgpack-0', 3, '00000000-0000-0000-0000-000000000fa4', 'Brought', '\x81a16e04', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (60, 'brought-msgpack-1', 3, '00000000-0000-0000-0000-000000000fa5', 'Brought', '\x81a16e05', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456, NULL);
INSERT INTO eventsourcing.events VALUES (61, 'values-json', 11, '01a22f9a-2185-7372-b94f-1cf19d714999', 'Valued', '\x81a46c617374c3', NULL, 'msgpack', 1795953600123456, NULL);


--
-- Data for Name: inline_handlers; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: parked_events; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.parked_events VALUES ('landed-parked', 1, 'Account-msgpack', 50);
INSERT INTO eventsourcing.parked_events VALUES ('landed-parked', 1, 'Account-msgpack', 51);
INSERT INTO eventsourcing.parked_events VALUES ('landed-parked', 1, 'Account-msgpack', 52);
INSERT INTO eventsourcing.parked_events VALUES ('landed-parked', 1, 'Account-msgpack', 53);
INSERT INTO eventsourcing.parked_events VALUES ('landed-parked', 1, 'Account-msgpack', 54);


--
-- Data for Name: parked_keys; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.parked_keys VALUES ('landed-parked', 1, 'Account-msgpack', 7021, 1, 'ValueError: 3', '2026-12-01 03:16:01.223203+00', NULL);


--
-- Data for Name: projection_claims; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: projection_segments; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.projection_segments VALUES ('landed-parked', 1, 0, 16383, 61, 54, '01a22f9a-2180-7bd5-aea3-f62c0ede16ac', 1, 'landed_parked');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-parked', 1, 16384, 32767, 61, 54, '01a22f9a-2180-7bd5-aea3-f62c0ede16ac', 1, 'landed_parked');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-parked', 1, 32768, 49151, 61, 54, '01a22f9a-2180-7bd5-aea3-f62c0ede16ac', 1, 'landed_parked');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-parked', 1, 49152, 65535, 61, 54, '01a22f9a-2180-7bd5-aea3-f62c0ede16ac', 1, 'landed_parked');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-balances', 1, 0, 16383, 61, 61, '01a22f9a-2185-7372-b94f-1cf19d714999', 1, 'landed_balances');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-balances', 1, 16384, 32767, 61, 61, '01a22f9a-2185-7372-b94f-1cf19d714999', 1, 'landed_balances');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-balances', 1, 32768, 49151, 61, 61, '01a22f9a-2185-7372-b94f-1cf19d714999', 1, 'landed_balances');
INSERT INTO eventsourcing.projection_segments VALUES ('landed-balances', 1, 49152, 65535, 61, 61, '01a22f9a-2185-7372-b94f-1cf19d714999', 1, 'landed_balances');


--
-- Data for Name: projection_workers; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--



--
-- Data for Name: projections; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.projections VALUES ('landed-balances', 1, 'view', 'Balances', '{owner}', 'live', false, NULL, 4, NULL, '{landed.deposited,landed.opened}');
INSERT INTO eventsourcing.projections VALUES ('landed-parked', 1, 'view', 'Parked', '{owner}', 'live', false, NULL, 4, NULL, '{landed.deposited,landed.opened}');


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.schema_migrations VALUES (1, 'tables', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (2, 'append', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (3, 'horizon', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (4, 'lifecycle_and_tags', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (5, 'projections', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (6, 'inline', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (7, 'event_types', '2026-12-01 03:15:59.809891+00');
INSERT INTO eventsourcing.schema_migrations VALUES (8, 'inline_handlers', '2026-12-01 03:15:59.809891+00');


--
-- Data for Name: snapshots; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.snapshots VALUES ('Account-json', 4, '\x7b226576656e745f6964223a7b222475756964223a2230316132326639612d323131342d373436302d623865312d383963633161383331316535227d2c227374617465223a7b226f776e6572223a225a6fc3ab206a736f6e222c2262616c616e6365223a22302e3036227d7d', 'json', '1:91d26123c5b4b634', 1796094959892668);
INSERT INTO eventsourcing.snapshots VALUES ('Account-msgpack', 4, '\x82a86576656e745f6964c7240130316132326639612d323137352d376436662d393431362d656263623539636233326434a5737461746582a56f776e6572ac5a6fc3ab206d73677061636ba762616c616e6365a4302e3036', 'msgpack', '1:91d26123c5b4b634', 1796094959990463);


--
-- Data for Name: streams; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.streams VALUES ('shared-json-1', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('shared-json-2', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('shared-json-0', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('Account-json', 7, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('brought-json-0', 3, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('brought-json-1', 3, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('values-msgpack', 10, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-1', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-2', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-0', 2, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('Account-msgpack', 7, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('brought-msgpack-0', 3, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('brought-msgpack-1', 3, 1, NULL, NULL);
INSERT INTO eventsourcing.streams VALUES ('values-json', 11, 1, NULL, NULL);


--
-- Data for Name: view; Type: TABLE DATA; Schema: landed_balances; Owner: -
--

INSERT INTO landed_balances.view VALUES ('Account-json', '{"owner": "Zoë json", "amount": "0.21"}');
INSERT INTO landed_balances.view VALUES ('Account-msgpack', '{"owner": "Zoë msgpack", "amount": "0.21"}');


--
-- Data for Name: view; Type: TABLE DATA; Schema: landed_parked; Owner: -
--

INSERT INTO landed_parked.view VALUES ('Account-json', '{"owner": "Zoë json", "amount": "0.21"}');
INSERT INTO landed_parked.view VALUES ('Account-msgpack', '{"owner": "Zoë msgpack", "amount": "0.01"}');


--
-- Name: events_position; Type: SEQUENCE SET; Schema: eventsourcing; Owner: -
--

SELECT pg_catalog.setval('eventsourcing.events_position', 61, true);


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
-- Name: view view_pkey; Type: CONSTRAINT; Schema: landed_balances; Owner: -
--

ALTER TABLE ONLY landed_balances.view
    ADD CONSTRAINT view_pkey PRIMARY KEY (key);


--
-- Name: view view_pkey; Type: CONSTRAINT; Schema: landed_parked; Owner: -
--

ALTER TABLE ONLY landed_parked.view
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
-- Name: view_jsonb_hash_extended_key_idx; Type: INDEX; Schema: landed_balances; Owner: -
--

CREATE INDEX view_jsonb_hash_extended_key_idx ON landed_balances.view USING btree (jsonb_hash_extended((value -> 'owner'::text), (0)::bigint), key);


--
-- Name: view_jsonb_hash_extended_key_idx; Type: INDEX; Schema: landed_parked; Owner: -
--

CREATE INDEX view_jsonb_hash_extended_key_idx ON landed_parked.view USING btree (jsonb_hash_extended((value -> 'owner'::text), (0)::bigint), key);


--
-- Name: events events_are_kept; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE TRIGGER events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON eventsourcing.events FOR EACH STATEMENT EXECUTE FUNCTION eventsourcing.refuse_change();


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

