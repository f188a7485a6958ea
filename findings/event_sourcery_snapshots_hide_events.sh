#!/usr/bin/env bash
# python-event-sourcery 0.6.1, SQLAlchemy 2.0.58, Python 3.11; seen on 2026-12-01.
#
# A snapshot takes the place of events wherever a stream is read, not only where an aggregate is loaded. Whoever reads
# a stream from a version on (an audit, an export, a follower that goes on) gets the snapshot in place of the events
# that it stands for, as if they had never happened. The store in memory goes further: saving a snapshot removes the
# events before it, and then takes start and stop for places in what is left. So a test in memory sees an empty
# stream where the database gives events.
#
# Seen output:
#   memory: versions 2 to 3: [2, 3], with a snapshot at 5: []
#   memory: from version 2 on: [2, 3, 4, 5], with a snapshot at 5: []
#   SQLite: versions 2 to 3: [2, 3], with a snapshot at 5: [2, 3]
#   SQLite: from version 2 on: [2, 3, 4, 5], with a snapshot at 5: [5]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-event-sourcery==0.6.1 SQLAlchemy==2.0.58 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
from event_sourcery import StreamId
from event_sourcery.backend import InMemoryBackend
from event_sourcery.event import Event, WrappedEvent
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
    store.append(*[Counted(n=number) for number in range(1, 6)], stream_id=stream)

    def versions(**span):
        return [each.version for each in store.load_stream(stream, **span)]

    before = versions(start=2, stop=4), versions(start=2)
    store.save_snapshot(stream, WrappedEvent.wrap(Counted(n=15), version=5))
    after = versions(start=2, stop=4), versions(start=2)
    print(f"{name}: versions 2 to 3: {before[0]}, with a snapshot at 5: {after[0]}")
    print(f"{name}: from version 2 on: {before[1]}, with a snapshot at 5: {after[1]}")
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
memory: versions 2 to 3: [2, 3], with a snapshot at 5: []
memory: from version 2 on: [2, 3, 4, 5], with a snapshot at 5: []
SQLite: versions 2 to 3: [2, 3], with a snapshot at 5: [2, 3]
SQLite: from version 2 on: [2, 3, 4, 5], with a snapshot at 5: [5]
EXPECTED
