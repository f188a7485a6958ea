#!/usr/bin/env bash
# python-event-sourcery 0.6.1, SQLAlchemy 2.0.58, Python 3.11; seen on 2026-12-01.
#
# The expected version 0 (a new stream; it is the default of `append`) counts as "nothing was expected", since only a
# number that is true in Python is compared. The store in memory then writes version 1 a second time: the stream has
# two events of one version, and nobody is told. On a database a unique index refuses it, by the driver's
# IntegrityError in place of the library's ConcurrentStreamWriteError. So a race of two creations that passes in the
# tests fails in production, and code that retries on the library's error does not retry there. (The last line is
# empty because the session had to be rolled back: both appends were in one transaction.)
#
# With SQLAlchemy 2.1.9, which the extra `sqlalchemy` allows and pip chooses, the backend cannot be imported at all
# (ImportError: ClsRegistryToken).
#
# Seen output:
#   memory: append 1 expecting version 0: stored
#   memory: append 2 expecting version 0: stored
#   memory: versions and values: [(1, 1), (1, 2)]
#   SQLite: append 1 expecting version 0: stored
#   SQLite: append 2 expecting version 0: IntegrityError
#   SQLite: versions and values: []
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-event-sourcery==0.6.1 SQLAlchemy==2.0.58 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
from event_sourcery import StreamId
from event_sourcery.backend import InMemoryBackend
from event_sourcery.event import Event
from event_sourcery_sqlalchemy import SQLAlchemyBackend, configure_models
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, declarative_base


class Counted(Event):
    n: int


Base = declarative_base()
configure_models(Base)
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
for name, backend in {"memory": InMemoryBackend().configure(), "SQLite": SQLAlchemyBackend().configure(Session(engine))}.items():
    store, stream = backend.event_store, StreamId(name="order-1")
    for number in (1, 2):
        try:
            store.append(Counted(n=number), stream_id=stream, expected_version=0)
            print(f"{name}: append {number} expecting version 0: stored")
        except Exception as error:
            print(f"{name}: append {number} expecting version 0: {type(error).__name__}")
            backend[Session].rollback()
    print(f"{name}: versions and values:", [(each.version, each.event.n) for each in store.load_stream(stream)])
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
memory: append 1 expecting version 0: stored
memory: append 2 expecting version 0: stored
memory: versions and values: [(1, 1), (1, 2)]
SQLite: append 1 expecting version 0: stored
SQLite: append 2 expecting version 0: IntegrityError
SQLite: versions and values: []
EXPECTED
