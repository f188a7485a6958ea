#!/usr/bin/env bash
# eventsourcing-umadb 0.4.4, eventsourcing 10.0.0a7, umadb 0.7.8, Python 3.11; seen on 2026-12-01.
#
# Ids of aggregates are texts in eventsourcing 10. The adapter for UmaDB keeps an id and a version in two tags, as
# "originator:ID" and "originator-ID-version:N", and reads them back as what follows the first colon. An id that has a
# colon itself ("order:1", a URN, an ARN) is stored without a word, and can never be read: select_events raises. So does
# select_notifications, for every reader of the application's log, from this event on: projections stop at it.
#
# Whoever moves such a store must read the tags of UmaDB itself, and cut them at the last colon.
#
# Seen output:
#   order-1: insert_events: [1]
#   order-1: select_events: ['order-1']
#   then select_notifications from 1 on: ['order-1']
#   order:1: insert_events: [2]
#   order:1: select_events: ValueError, invalid literal for int() with base 10: '1-version'
#   then select_notifications from 1 on: ValueError, invalid literal for int() with base 10: '1-version'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet eventsourcing-umadb==0.4.4 eventsourcing==10.0.0a7 umadb==0.7.8 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import umadb
from eventsourcing.persistence import StoredEvent
from eventsourcing_umadb.recorders import UmaDbApplicationRecorder


def running():
    """Start the server of the wheel; give it and the address that it listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program, file = Path(sys.executable).with_name("umadb"), Path(sys.argv[1], "uma.db")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([program, "--listen", f"127.0.0.1:{port}", "--db-path", file], **silent)
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return server, f"http://127.0.0.1:{port}"


def tried(act):
    try:
        return act()
    except Exception as error:
        return f"{type(error).__name__}, {error}"


server, url = running()
try:
    recorder = UmaDbApplicationRecorder(umadb.Client(url))
    for stream in ("order-1", "order:1"):
        event = StoredEvent(originator_id=stream, originator_version=1, topic="placed", state=b"x", uuid=uuid4())
        print(f"{stream}: insert_events:", tried(lambda: recorder.insert_events([event])))
        print(f"{stream}: select_events:", tried(lambda: [each.originator_id for each in recorder.select_events(stream)]))
        print(
            f"then select_notifications from 1 on:",
            tried(lambda: [each.originator_id for each in recorder.select_notifications(1, 10)]),
        )
finally:
    server.terminate()
    server.wait(30)
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
order-1: insert_events: [1]
order-1: select_events: ['order-1']
then select_notifications from 1 on: ['order-1']
order:1: insert_events: [2]
order:1: select_events: ValueError, invalid literal for int() with base 10: '1-version'
then select_notifications from 1 on: ValueError, invalid literal for int() with base 10: '1-version'
EXPECTED
