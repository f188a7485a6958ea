#!/usr/bin/env bash
# umadb 0.7.8 (server and Python client), Python 3.11; seen on 2026-12-01.
#
# The condition of an append names the position after which no event may match. A position that the store never
# reached is taken without a word, and then nothing can match: the condition holds whatever the store has. Such a
# position is what a program holds that read before the store was restored from a backup, or that read another store:
# just when its decision rests on events that are not there, it is not refused. A position is no proof of what was
# read; comparing the id of the last event that was read, too, would be one.
#
# Seen output (one matching event, at 1; each append that passes adds another):
#   after None: refused
#   after 0: refused
#   after 1: appended at 2
#   after 2: appended at 3
#   after 1000000: appended at 4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet umadb==0.7.8 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import socket
import subprocess
import sys
import time
from pathlib import Path

import umadb


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


server, url = running()
try:
    client = umadb.Client(url)
    taken = umadb.Query(items=[umadb.QueryItem(tags=["seat:1"])])
    client.append([umadb.Event(event_type="taken", data=b"by A", tags=["seat:1"])])
    for after in (None, 0, 1, 2, 1_000_000):
        condition = umadb.AppendCondition(fail_if_events_match=taken, after=after)
        try:
            position = client.append([umadb.Event(event_type="taken", data=b"by B", tags=["seat:1"])], condition=condition)
            outcome = f"appended at {position}"
        except umadb.IntegrityError:
            outcome = "refused"
        print(f"after {after}: {outcome}")
finally:
    server.terminate()
    server.wait(30)
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
after None: refused
after 0: refused
after 1: appended at 2
after 2: appended at 3
after 1000000: appended at 4
EXPECTED
