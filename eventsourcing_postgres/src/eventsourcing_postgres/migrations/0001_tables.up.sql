-- The tables of one store. Every index costs every append: there are only those that reads need.
-- Text that is compared is COLLATE "C", so that order and prefixes mean the same in every cluster.

create schema if not exists {schema};

create table {schema}.streams (
    id text collate "C" primary key,
    version bigint not null
);

-- CACHE 1, always: cached numbers would be handed out in another order than they are drawn.
create sequence {schema}.events_position as bigint minvalue 1 cache 1;

-- "timestamp" is in microseconds since 1970, in UTC: as a timestamptz it costs more to send and to
-- read than the payload, and few readers look at it. readable_events shows it to people.
create table {schema}.events (
    position bigint primary key,
    stream_id text collate "C" not null,
    version bigint not null,
    event_id uuid not null,
    event_type text collate "C" not null,
    data bytea not null,
    metadata bytea,
    encoding text collate "C" not null,
    "timestamp" bigint not null,
    constraint events_stream_version unique (stream_id, version),
    constraint events_event_id unique (event_id)
);

create view {schema}.readable_events as
select
    position, stream_id, version, event_type, event_id,
    timestamptz 'epoch' + "timestamp" / 1000000 * interval '1 second'
        + "timestamp" % 1000000 * interval '1 microsecond' as happened_at,
    encoding, data, metadata
from {schema}.events;

create table {schema}.snapshots (
    aggregate_id text collate "C" not null,
    version bigint not null,
    state bytea not null,
    encoding text collate "C" not null,
    state_version text collate "C" not null,
    created_at bigint not null,
    primary key (aggregate_id, version)
);

create function {schema}.refuse_change() returns trigger language plpgsql as $$
begin
    if current_setting('eventsourcing.allow_change', true) = 'on' then
        return null;
    end if;
    raise exception 'events are never changed or deleted'
        using errcode = 'restrict_violation',
              hint = 'If you must: set eventsourcing.allow_change = ''on'' in this session.';
end
$$;

create trigger events_are_kept
    before update or delete or truncate on {schema}.events
    for each statement execute function {schema}.refuse_change();
