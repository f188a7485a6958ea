"""Tables with the columns and indexes of the PostgreSQL store, for what it is compared with."""

from __future__ import annotations

TABLES = """
create table bare_streams (id text collate "C" primary key, version bigint not null);
create table bare_events (
    position bigint generated always as identity primary key,
    stream_id text collate "C" not null,
    version bigint not null,
    event_id uuid not null unique,
    event_type text collate "C" not null,
    data bytea not null,
    metadata bytea,
    encoding text collate "C" not null,
    "timestamp" bigint not null,
    unique (stream_id, version)
);
"""
COLUMNS = ["stream_id", "version", "event_id", "event_type", "data", "encoding", "timestamp"]
INSERT = f'insert into bare_events ({", ".join(COLUMNS[:-1])}, "timestamp") values ($1, $2, $3, $4, $5, $6, $7)'  # noqa: S608, E501 - our own names
