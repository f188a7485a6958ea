#!/usr/bin/env bash
# python-event-sourcery 0.6.1, SQLAlchemy 2.0.58, Python 3.11; seen on 2026-12-01.
#
# Tenants keep events of one stream name apart when they are read, but not when they are written. Where two tenants
# have a stream of the same name at the same version, the statement that raises the version meets both rows, and so
# each append of either tenant counts as a conflict, however often it is tried again. A number that every tenant
# begins anew ("order-1") is enough. In memory the second one of them meets it, too, as the version is kept for the name.
#
# A tenant belongs into the key of every statement that writes; a schema for each tenant needs no such care.
#
# Seen output:
#   memory: second append of a: done
#   memory: second append of b: ConcurrentStreamWriteError
#   SQLite: second append of a: ConcurrentStreamWriteError
#   SQLite: second append of b: ConcurrentStreamWriteError
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
stream = StreamId(name="order-1")
for name, backend in {"memory": InMemoryBackend().configure(), "SQLite": SQLAlchemyBackend().configure(Session(engine))}.items():

    def of(tenant):
        return backend.in_tenant_mode(tenant).event_store

    def tried(act) -> str:
        try:
            act()
        except Exception as error:
            return type(error).__name__
        return "done"

    for tenant in ("a", "b"):
        of(tenant).append(Counted(n=1), stream_id=stream)
    for tenant in ("a", "b"):
        outcome = tried(lambda: of(tenant).append(Counted(n=2), stream_id=stream, expected_version=1))
        print(f"{name}: second append of {tenant}: {outcome}")
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
memory: second append of a: done
memory: second append of b: ConcurrentStreamWriteError
SQLite: second append of a: ConcurrentStreamWriteError
SQLite: second append of b: ConcurrentStreamWriteError
EXPECTED
