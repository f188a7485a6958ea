-- What follows the events: builds of projections, how far they are, who works on them, and what waits.
--
-- What a build has made is not here: it has a schema of its own, with the name of the projection while
-- it is live (and its version behind that while it is not).

create table {schema}.projections (
    name text collate "C" not null,
    version bigint not null,
    kind text collate "C" not null,
    class_name text collate "C" not null,
    indexes text[] collate "C" not null,
    state text collate "C" not null,
    is_paused boolean not null default false,
    switching_until timestamptz,
    wanted_segments integer not null,
    primary key (name, version),
    constraint projections_kind check (kind in ('view', 'projection', 'reactor')),
    constraint projections_state check (state in ('building', 'live', 'retired')),
    constraint projections_wanted_segments check (wanted_segments between 1 and 1024)
);

-- Readers find the live build of a name, and there is one at most.
create unique index projections_live on {schema}.projections (name) where state = 'live';

-- Half of each page stays free: a row is written again and again, in its place. It has the schema of the
-- build (null: it has none), so that who locks a row knows progress and schema of the same moment.
create table {schema}.projection_segments (
    name text collate "C" not null,
    version bigint not null,
    low integer not null,
    high integer not null,
    position bigint not null,
    event_position bigint,
    event_id uuid,
    epoch bigint not null,
    own_schema text,
    primary key (name, version, low),
    foreign key (name, version) references {schema}.projections on delete cascade,
    constraint projection_segments_hashes check (0 <= low and low <= high and high <= 65535),
    constraint projection_segments_checkpoint check ((event_position is null) = (event_id is null))
) with (fillfactor = 50);

-- A handler that commits the batch which it is called in would store the new positions with a part of
-- what belongs to them. The setting eventsourcing.batch is the lowest hash of a segment of the batch that
-- is open, until its last statement. The trigger of that row fires at the commit, and refuses it.
--
-- It also fires early, by "set constraints all immediate" of a handler. Which of the two it is, is found
-- out by another change of the row: only then is the trigger called for it at once (with "asked"). Then
-- nothing is refused, and the trigger is to fire again at the commit.
create function {schema}.refuse_commit_of_batch() returns trigger language plpgsql as $$
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
$$;

create constraint trigger refuse_commit_of_batch
after insert or update of position on {schema}.projection_segments
deferrable initially deferred
for each row execute function {schema}.refuse_commit_of_batch();

-- Who is alive, and what they have claimed, is not logged: it is renewed every few seconds, and after a
-- crash, which empties both tables, everybody comes anew and raises the epochs. They are apart from the
-- segments, so that nobody who renews waits for a batch.
create unlogged table {schema}.projection_workers (
    name text collate "C" not null,
    version bigint not null,
    owner text collate "C" not null,
    until timestamptz not null,
    max_segments integer,
    last_error text,
    primary key (name, version, owner),
    foreign key (name, version) references {schema}.projections on delete cascade
) with (fillfactor = 50);

-- A claim is good for as long as its worker is alive.
create unlogged table {schema}.projection_claims (
    name text collate "C" not null,
    version bigint not null,
    low integer not null,
    owner text collate "C" not null,
    primary key (name, version, low),
    foreign key (name, version, owner) references {schema}.projection_workers on delete cascade
);
create index projection_claims_owner on {schema}.projection_claims (name, version, owner);

-- Keys whose first event has failed. Those that are given up have no time for another try.
create table {schema}.parked_keys (
    name text collate "C" not null,
    version bigint not null,
    key text collate "C" not null,
    hash integer not null,
    attempts integer not null,
    error text not null,
    next_try timestamptz,
    wish text collate "C",
    primary key (name, version, key),
    foreign key (name, version) references {schema}.projections on delete cascade,
    constraint parked_keys_wish check (wish in ('retry', 'skip'))
);
create index parked_keys_hash on {schema}.parked_keys (name, version, hash, key);
create index parked_keys_next_try on {schema}.parked_keys (name, version, next_try);
create index parked_keys_wish on {schema}.parked_keys (name, version) where wish is not null;

-- The events that wait: the first of each key has failed, the others are behind it.
create table {schema}.parked_events (
    name text collate "C" not null,
    version bigint not null,
    key text collate "C" not null,
    position bigint not null,
    primary key (name, version, key, position),
    foreign key (name, version, key) references {schema}.parked_keys on delete cascade
);
create index parked_events_position on {schema}.parked_events (name, version, position);
