"""The schema, from the command line: ``python -m eventsourcing_postgres status URL``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from urllib.parse import parse_qsl

import asyncpg

from eventsourcing_core import EventSourcingError
from eventsourcing_postgres._backend import options
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._migrations import MigrationStatus, migrate, rollback, status
from eventsourcing_postgres._server import Server, server_of


def main() -> int:
    """Read the command line, do it, and give the exit code: 0, or 1 when the server refused."""
    parser = argparse.ArgumentParser(prog="python -m eventsourcing_postgres", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("migrate", "apply the migrations that are missing"),
        ("rollback", "take migrations back; --to 0 drops every event"),
        ("status", "tell how far the schema is"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "url",
            metavar="URL",
            help="postgresql://user@host/database, as the application has it: of its options only "
            "the schema counts",
        )
        command.add_argument("--schema", help="default: that of the URL, or else eventsourcing")
        if name == "rollback":
            command.add_argument("--to", type=int, required=True, help="the last one that stays")
    arguments = parser.parse_args()
    try:
        server, schema = _read(arguments.url)
        schema = arguments.schema or schema
        done = asyncio.run(_run(arguments, server, schema))
    except (EventSourcingError, ValueError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)  # noqa: T201 - a program
        return 1
    print(f"schema {schema}: migration {done.applied} of {done.latest}")  # noqa: T201 - as above
    return 0


def _read(url: str) -> tuple[Server, str]:
    """Give the server and the schema of an application's URL."""
    bare, _, query = url.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    parameters = {name: value for name, value in given.items() if name not in options()}
    return server_of(bare, parameters, options()), given.get("schema", "eventsourcing")


async def _run(arguments: argparse.Namespace, server: Server, schema: str) -> MigrationStatus:
    with translated(f"connecting to {server.shown}", schema):
        pool = await asyncpg.create_pool(
            server.dsn,
            min_size=1,
            max_size=1,
            statement_cache_size=0,  # a pooler may stand between
        )
    async with pool:
        if arguments.command == "migrate":
            return await migrate(pool, schema=schema)
        if arguments.command == "rollback":
            return await rollback(pool, schema=schema, to=arguments.to)
        return await status(pool, schema=schema)


if __name__ == "__main__":
    sys.exit(main())
