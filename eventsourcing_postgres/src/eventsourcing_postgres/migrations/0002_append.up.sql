-- The number that marks this store's advisory locks, in the upper 16 bits of their keys. It comes
-- from the sequence's own id, is never 0 (where other programs' small keys lie), and may change
-- with a restore: locks do not outlive a server.
create function {schema}.lock_class() returns bigint language sql stable as $$
    select 1 + '{schema_text}.events_position'::regclass::oid::bigint % 65535
$$;

-- Append to several streams in one transaction.
--
--   stream_ids, expected, sizes   one element per append: at most one of a stream, sorted by stream
--                                 in "C" order, so that two batches cannot deadlock; expected is
--                                 the version, or -1: any, or -2: the stream exists
--   owners, places                one element per event: the number of its append, and its own
--                                 number in it, both from 1
--   event_ids to timestamps       one element per event
--   patience                      milliseconds to wait for a stream that another transaction holds;
--                                 null, in the transaction of a caller, who may append again in it:
--                                 as long as the session's lock_timeout says
--
-- Gives a row per append, in their order: whether it was accepted, then the stream's version (the
-- new one, or the one that did not fit), then the position of its last event.
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
    patience integer
) returns table (is_accepted boolean, stream_version bigint, last_position bigint)
language plpgsql volatile as $$
declare
    befores bigint[] := array_fill(null::bigint, array[cardinality(stream_ids)]);
    versions bigint[] := befores;
    found_version bigint;
    floor bigint;
    positions bigint[];
    written integer := 0;
    published text;
begin
    if patience is not null then
        perform set_config('lock_timeout', patience::text, true);
    end if;

    -- 1. Streams first. From here on no other append to these streams can draw a position, so
    --    in a stream positions rise as versions do.
    for number in 1 .. cardinality(stream_ids) loop
        found_version := null;
        case expected[number]
            when 0 then
                insert into {schema}.streams as s values (stream_ids[number], sizes[number])
                on conflict do nothing
                returning s.version into found_version;
            when -1 then
                insert into {schema}.streams as s values (stream_ids[number], sizes[number])
                on conflict (id) do update set version = s.version + excluded.version
                returning s.version into found_version;
            when -2 then
                update {schema}.streams as s set version = s.version + sizes[number]
                where s.id = stream_ids[number]
                returning s.version into found_version;
            else
                update {schema}.streams as s set version = s.version + sizes[number]
                where s.id = stream_ids[number] and s.version = expected[number]
                returning s.version into found_version;
        end case;
        if found_version is not null then
            befores[number] := found_version - sizes[number];
        else
            select s.version into found_version from {schema}.streams as s
            where s.id = stream_ids[number];
        end if;
        versions[number] := coalesce(found_version, 0);
    end loop;

    -- 2. Publish the floor: every position that this transaction draws will be above it. The lock
    --    is shared, so it does not wait, and it is released only after the commit is visible.
    --    A transaction that appends again has published a lower one already, unless a savepoint
    --    took that back: together with the setting, which says so.
    if patience is null then
        published := 'eventsourcing.floor_' || {schema}.lock_class();
    end if;
    if published is null or coalesce(current_setting(published, true), '') = '' then
        floor := coalesce(pg_sequence_last_value('{schema_text}.events_position'), 0);
        floor := ({schema}.lock_class() << 48) | floor;
        if not pg_try_advisory_xact_lock_shared(floor) then  -- a stranger has it for himself
            perform pg_advisory_xact_lock_shared(floor);
        end if;
        if published is not null then
            perform set_config(published, 'yes', true);
        end if;
    end if;

    -- 3. Only then draw positions. The case of one event is the most frequent, and a statement of
    --    one row takes half the time of one over arrays.
    if cardinality(event_ids) = 1 then
        if befores[1] is not null then
            insert into {schema}.events (
                position, stream_id, version, event_id, event_type,
                data, metadata, encoding, "timestamp"
            ) values (
                nextval('{schema_text}.events_position'),
                stream_ids[1], versions[1], event_ids[1], event_types[1],
                datas[1], metadatas[1], encodings[1], timestamps[1]
            )
            returning array[position] into positions;
        end if;
    else
        with inserted as (
            insert into {schema}.events (
                position, stream_id, version, event_id, event_type,
                data, metadata, encoding, "timestamp"
            )
            select
                nextval('{schema_text}.events_position'),
                stream_ids[given.owner], befores[given.owner] + given.place, given.event_id,
                given.event_type, given.data, given.metadata, given.encoding, given.happened
            from unnest(
                owners, places, event_ids, event_types, datas, metadatas, encodings, timestamps
            ) as given (owner, place, event_id, event_type, data, metadata, encoding, happened)
            where befores[given.owner] is not null
            returning position
        )
        select array_agg(position order by position) into positions from inserted;
    end if;

    for number in 1 .. cardinality(stream_ids) loop
        is_accepted := befores[number] is not null;
        stream_version := versions[number];
        last_position := null;
        if is_accepted then  -- positions were drawn in the order of the events
            written := written + sizes[number];
            last_position := positions[written];
        end if;
        return next;
    end loop;
end
$$;
