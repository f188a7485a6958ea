--
-- PostgreSQL database dump
--


-- Dumped from database version 16.14
-- Dumped by pg_dump version 16.14

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
-- Name: floor_key(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.floor_key() RETURNS bigint
    LANGUAGE sql
    AS $$
    select ("eventsourcing".lock_class() << 48)
        | coalesce(pg_sequence_last_value('"eventsourcing".events_position'), 0)
$$;


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
-- Name: lock_class(); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.lock_class() RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select 1 + '"eventsourcing".events_position'::regclass::oid::bigint % 65535
$$;


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
-- Name: version_of(text); Type: FUNCTION; Schema: eventsourcing; Owner: -
--

CREATE FUNCTION eventsourcing.version_of(stream_id text) RETURNS bigint
    LANGUAGE sql
    AS $$
    select coalesce((select s.version from "eventsourcing".streams as s where s.id = stream_id), 0)
$$;


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
    "timestamp" bigint NOT NULL
);


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
-- Name: readable_events; Type: VIEW; Schema: eventsourcing; Owner: -
--

CREATE VIEW eventsourcing.readable_events AS
 SELECT "position",
    stream_id,
    version,
    event_type,
    event_id,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + ((("timestamp" / 1000000))::double precision * '00:00:01'::interval)) + ((("timestamp" % (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS happened_at,
    encoding,
    data,
    metadata
   FROM eventsourcing.events;


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
    version bigint NOT NULL
);


--
-- Data for Name: events; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.events VALUES (1, 'values-json', 1, '00000000-0000-0000-0000-0000000003e8', 'Valued', '\x7b2274657874223a225a6fc3ab205c753030303020e6bca220f09f8e892027205c5c202424227d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (2, 'values-json', 2, '00000000-0000-0000-0000-0000000003e9', 'Valued', '\x7b226279746573223a7b22246279746573223a224150383d227d7d', '\x7b2275736572223a22616e6e222c226279746573223a7b22246279746573223a224150383d227d7d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (3, 'values-json', 3, '00000000-0000-0000-0000-0000000003ea', 'Valued', '\x7b226964223a7b222475756964223a2230303030303030302d303030302d303030302d303030302d303030303030303030303037227d7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (4, 'values-json', 4, '00000000-0000-0000-0000-0000000003eb', 'Valued', '\x7b2274696d65223a7b22246461746574696d65223a22323032362d31312d32395431323a30303a30302e3132333435362b30303a3030227d7d', '\x7b2275736572223a22616e6e222c2274696d65223a7b22246461746574696d65223a22323032362d31312d32395431323a30303a30302e3132333435362b30303a3030227d7d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (5, 'values-json', 5, '00000000-0000-0000-0000-0000000003ec', 'Valued', '\x7b2264617465223a7b222464617465223a22323032362d30322d3238227d7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (6, 'values-json', 6, '00000000-0000-0000-0000-0000000003ed', 'Valued', '\x7b227370616e223a7b222474696d6564656c7461223a222d3836333939393939393939227d7d', '\x7b2275736572223a22616e6e222c227370616e223a7b222474696d6564656c7461223a222d3836333939393939393939227d7d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (7, 'values-json', 7, '00000000-0000-0000-0000-0000000003ee', 'Valued', '\x7b22616d6f756e74223a7b2224646563696d616c223a22312e3130227d7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (8, 'values-json', 8, '00000000-0000-0000-0000-0000000003ef', 'Valued', '\x7b226e756d62657273223a5b302c2d312c393030373139393235343734303939332c302e312c496e66696e6974792c4e614e5d7d', '\x7b2275736572223a22616e6e222c226e756d62657273223a5b302c2d312c393030373139393235343734303939332c302e312c496e66696e6974792c4e614e5d7d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (9, 'values-json', 9, '00000000-0000-0000-0000-0000000003f0', 'Valued', '\x7b226e6f7468696e67223a6e756c6c7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (10, 'values-json', 10, '00000000-0000-0000-0000-0000000003f1', 'Valued', '\x7b22242475756964223a7b22242424223a747275657d7d', '\x7b2275736572223a22616e6e222c222475756964223a7b22242424223a747275657d7d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (12, 'shared-json-1', 1, '01a22968-154c-7969-971e-92c8b2aa0e23', 'Shared', '\x7b226e223a317d', NULL, 'json', 253402300799999999);
INSERT INTO eventsourcing.events VALUES (13, 'shared-json-1', 2, '01a22968-154c-798f-b454-a9f8e7924335', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (14, 'shared-json-2', 1, '01a22968-154c-799f-8cde-2902c04c8e34', 'Shared', '\x7b226e223a327d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (15, 'shared-json-2', 2, '01a22968-154c-79af-8e99-3c398d11c7fa', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (16, 'shared-json-0', 1, '01a22968-154c-78a1-9b08-7a685fbc7585', 'Shared', '\x7b226e223a307d', NULL, 'json', -62135596800000000);
INSERT INTO eventsourcing.events VALUES (17, 'shared-json-0', 2, '01a22968-154c-7933-87b3-77da20a69df6', 'Shared', '\x7b7d', NULL, 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (18, 'Account-json', 1, '01a22968-155c-772f-92e3-a3967dc038a0', 'landed.opened', '\x7b226f776e6572223a225a6fc3ab206a736f6e227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016796464);
INSERT INTO eventsourcing.events VALUES (19, 'Account-json', 2, '01a22968-155d-750f-b0ea-5fc82da60cf5', 'landed.deposited', '\x7b22616d6f756e74223a22302e3031227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016797321);
INSERT INTO eventsourcing.events VALUES (20, 'Account-json', 3, '01a22968-155d-7ec0-a167-772073cba3c2', 'landed.deposited', '\x7b22616d6f756e74223a22302e3032227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016797925);
INSERT INTO eventsourcing.events VALUES (21, 'Account-json', 4, '01a22968-155e-7627-abc5-cc063dd61bd3', 'landed.deposited', '\x7b22616d6f756e74223a22302e3033227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016798387);
INSERT INTO eventsourcing.events VALUES (22, 'Account-json', 5, '01a22968-1560-7a53-8378-20e9aba09b06', 'landed.deposited', '\x7b22616d6f756e74223a22302e3034227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016800651);
INSERT INTO eventsourcing.events VALUES (23, 'Account-json', 6, '01a22968-1561-7461-8360-8cfc7f04f918', 'landed.deposited', '\x7b22616d6f756e74223a22302e3035227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016801278);
INSERT INTO eventsourcing.events VALUES (24, 'Account-json', 7, '01a22968-1561-7bff-aa66-fc9365a57527', 'landed.deposited', '\x7b22616d6f756e74223a22302e3036227d', '\x7b2275736572223a22616e6e227d', 'json', 1795991016801753);
INSERT INTO eventsourcing.events VALUES (25, 'brought-json-0', 1, '00000000-0000-0000-0000-0000000007d0', 'Brought', '\x7b226e223a307d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (26, 'brought-json-1', 1, '00000000-0000-0000-0000-0000000007d1', 'Brought', '\x7b226e223a317d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (27, 'brought-json-0', 2, '00000000-0000-0000-0000-0000000007d2', 'Brought', '\x7b226e223a327d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (28, 'brought-json-1', 2, '00000000-0000-0000-0000-0000000007d3', 'Brought', '\x7b226e223a337d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (29, 'brought-json-0', 3, '00000000-0000-0000-0000-0000000007d4', 'Brought', '\x7b226e223a347d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (30, 'brought-json-1', 3, '00000000-0000-0000-0000-0000000007d5', 'Brought', '\x7b226e223a357d', '\x7b2266726f6d223a22656c73657768657265227d', 'json', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (31, 'values-msgpack', 1, '00000000-0000-0000-0000-000000000bb8', 'Valued', '\x81a474657874b65a6fc3ab200020e6bca220f09f8e892027205c202424', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (32, 'values-msgpack', 2, '00000000-0000-0000-0000-000000000bb9', 'Valued', '\x81a56279746573c40200ff', '\x82a475736572a3616e6ea56279746573c40200ff', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (33, 'values-msgpack', 3, '00000000-0000-0000-0000-000000000bba', 'Valued', '\x81a26964c7240130303030303030302d303030302d303030302d303030302d303030303030303030303037', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (34, 'values-msgpack', 4, '00000000-0000-0000-0000-000000000bbb', 'Valued', '\x81a474696d65c72002323032362d31312d32395431323a30303a30302e3132333435362b30303a3030', '\x82a475736572a3616e6ea474696d65c72002323032362d31312d32395431323a30303a30302e3132333435362b30303a3030', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (35, 'values-msgpack', 5, '00000000-0000-0000-0000-000000000bbc', 'Valued', '\x81a464617465c70a03323032362d30322d3238', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (36, 'values-msgpack', 6, '00000000-0000-0000-0000-000000000bbd', 'Valued', '\x81a47370616ec70c052d3836333939393939393939', '\x82a475736572a3616e6ea47370616ec70c052d3836333939393939393939', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (37, 'values-msgpack', 7, '00000000-0000-0000-0000-000000000bbe', 'Valued', '\x81a6616d6f756e74d606312e3130', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (38, 'values-msgpack', 8, '00000000-0000-0000-0000-000000000bbf', 'Valued', '\x81a76e756d626572739600ffcf0020000000000001cb3fb999999999999acb7ff0000000000000cb7ff8000000000000', '\x82a475736572a3616e6ea76e756d626572739600ffcf0020000000000001cb3fb999999999999acb7ff0000000000000cb7ff8000000000000', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (39, 'values-msgpack', 9, '00000000-0000-0000-0000-000000000bc0', 'Valued', '\x81a76e6f7468696e67c0', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (40, 'values-msgpack', 10, '00000000-0000-0000-0000-000000000bc1', 'Valued', '\x81a5247575696481a22424c3', '\x82a475736572a3616e6ea5247575696481a22424c3', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (42, 'shared-msgpack-1', 1, '01a22968-15b7-75b1-b3a8-707d8c37baa3', 'Shared', '\x81a16e01', NULL, 'msgpack', 253402300799999999);
INSERT INTO eventsourcing.events VALUES (43, 'shared-msgpack-1', 2, '01a22968-15b7-75c0-a6f0-ba647f8332de', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (44, 'shared-msgpack-2', 1, '01a22968-15b7-75d1-87ec-9b86a72055f8', 'Shared', '\x81a16e02', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (45, 'shared-msgpack-2', 2, '01a22968-15b7-75df-87b0-9def1b7a58ea', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (46, 'shared-msgpack-0', 1, '01a22968-15b7-7508-8f35-4c6e51129b78', 'Shared', '\x81a16e00', NULL, 'msgpack', -62135596800000000);
INSERT INTO eventsourcing.events VALUES (47, 'shared-msgpack-0', 2, '01a22968-15b7-7593-be8f-601f6153bf14', 'Shared', '\x80', NULL, 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (48, 'Account-msgpack', 1, '01a22968-15cc-7568-8e60-e4d380990d9c', 'landed.opened', '\x81a56f776e6572ac5a6fc3ab206d73677061636b', '\x81a475736572a3616e6e', 'msgpack', 1795991016908349);
INSERT INTO eventsourcing.events VALUES (49, 'Account-msgpack', 2, '01a22968-15d0-7a3c-b6cc-6b9ae8368652', 'landed.deposited', '\x81a6616d6f756e74a4302e3031', '\x81a475736572a3616e6e', 'msgpack', 1795991016912646);
INSERT INTO eventsourcing.events VALUES (50, 'Account-msgpack', 3, '01a22968-15d1-7362-8e5d-42bfff64ddac', 'landed.deposited', '\x81a6616d6f756e74a4302e3032', '\x81a475736572a3616e6e', 'msgpack', 1795991016913215);
INSERT INTO eventsourcing.events VALUES (51, 'Account-msgpack', 4, '01a22968-15d1-7a90-80ad-acfd0a1246e8', 'landed.deposited', '\x81a6616d6f756e74a4302e3033', '\x81a475736572a3616e6e', 'msgpack', 1795991016913663);
INSERT INTO eventsourcing.events VALUES (52, 'Account-msgpack', 5, '01a22968-15d4-78ce-8900-ea231945d90a', 'landed.deposited', '\x81a6616d6f756e74a4302e3034', '\x81a475736572a3616e6e', 'msgpack', 1795991016916557);
INSERT INTO eventsourcing.events VALUES (53, 'Account-msgpack', 6, '01a22968-15d5-720c-a317-d89568be73d4', 'landed.deposited', '\x81a6616d6f756e74a4302e3035', '\x81a475736572a3616e6e', 'msgpack', 1795991016917131);
INSERT INTO eventsourcing.events VALUES (54, 'Account-msgpack', 7, '01a22968-15d5-79ff-b2c0-4d60459c20ad', 'landed.deposited', '\x81a6616d6f756e74a4302e3036', '\x81a475736572a3616e6e', 'msgpack', 1795991016917628);
INSERT INTO eventsourcing.events VALUES (55, 'brought-msgpack-0', 1, '00000000-0000-0000-0000-000000000fa0', 'Brought', '\x81a16e00', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (56, 'brought-msgpack-1', 1, '00000000-0000-0000-0000-000000000fa1', 'Brought', '\x81a16e01', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (57, 'brought-msgpack-0', 2, '00000000-0000-0000-0000-000000000fa2', 'Brought', '\x81a16e02', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (58, 'brought-msgpack-1', 2, '00000000-0000-0000-0000-000000000fa3', 'Brought', '\x81a16e03', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (59, 'brought-msgpack-0', 3, '00000000-0000-0000-0000-000000000fa4', 'Brought', '\x81a16e04', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (60, 'brought-msgpack-1', 3, '00000000-0000-0000-0000-000000000fa5', 'Brought', '\x81a16e05', '\x81a466726f6da9656c73657768657265', 'msgpack', 1795953600123456);
INSERT INTO eventsourcing.events VALUES (61, 'values-json', 11, '01a22968-15d9-7f73-a5e5-4a699f1501b7', 'Valued', '\x81a46c617374c3', NULL, 'msgpack', 1795953600123456);


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.schema_migrations VALUES (1, 'tables', '2026-11-29 22:23:36.702294+00');
INSERT INTO eventsourcing.schema_migrations VALUES (2, 'append', '2026-11-29 22:23:36.702294+00');
INSERT INTO eventsourcing.schema_migrations VALUES (3, 'horizon', '2026-11-29 22:23:36.702294+00');


--
-- Data for Name: snapshots; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.snapshots VALUES ('Account-json', 4, '\x7b226576656e745f6964223a7b222475756964223a2230316132323936382d313535652d373632372d616263352d636330363364643631626433227d2c227374617465223a7b226f776e6572223a225a6fc3ab206a736f6e222c2262616c616e6365223a22302e3036227d7d', 'json', '1:6a20860db608d908', 1795991016798945);
INSERT INTO eventsourcing.snapshots VALUES ('Account-msgpack', 4, '\x82a86576656e745f6964c7240130316132323936382d313564312d376139302d383061642d616366643061313234366538a5737461746582a56f776e6572ac5a6fc3ab206d73677061636ba762616c616e6365a4302e3036', 'msgpack', '1:6a20860db608d908', 1795991016914139);


--
-- Data for Name: streams; Type: TABLE DATA; Schema: eventsourcing; Owner: -
--

INSERT INTO eventsourcing.streams VALUES ('shared-json-1', 2);
INSERT INTO eventsourcing.streams VALUES ('shared-json-2', 2);
INSERT INTO eventsourcing.streams VALUES ('shared-json-0', 2);
INSERT INTO eventsourcing.streams VALUES ('Account-json', 7);
INSERT INTO eventsourcing.streams VALUES ('brought-json-0', 3);
INSERT INTO eventsourcing.streams VALUES ('brought-json-1', 3);
INSERT INTO eventsourcing.streams VALUES ('values-msgpack', 10);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-1', 2);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-2', 2);
INSERT INTO eventsourcing.streams VALUES ('shared-msgpack-0', 2);
INSERT INTO eventsourcing.streams VALUES ('Account-msgpack', 7);
INSERT INTO eventsourcing.streams VALUES ('brought-msgpack-0', 3);
INSERT INTO eventsourcing.streams VALUES ('brought-msgpack-1', 3);
INSERT INTO eventsourcing.streams VALUES ('values-json', 11);


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
-- Name: events events_are_kept; Type: TRIGGER; Schema: eventsourcing; Owner: -
--

CREATE TRIGGER events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON eventsourcing.events FOR EACH STATEMENT EXECUTE FUNCTION eventsourcing.refuse_change();


--
-- PostgreSQL database dump complete
--


