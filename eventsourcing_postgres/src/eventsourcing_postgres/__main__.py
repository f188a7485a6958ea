"""The schema, from the command line: ``python -m eventsourcing_postgres status URL``."""

from __future__ import annotations

import argparse
import asyncio
import sys

import asyncpg

from eventsourcing_core import EventSourcingError
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._migrations import MigrationStatus, migrate, rollback, status


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
        command.add_argument("url", metavar="URL", help="postgresql://user@host/database")
        command.add_argument("--schema", default="eventsourcing", help="default: %(default)s")
        if name == "rollback":
            command.add_argument("--to", type=int, required=True, help="the last one that stays")
    arguments = parser.parse_args()
    try:
        done = asyncio.run(_run(arguments))
    except (EventSourcingError, ValueError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)  # noqa: T201 - a program
        return 1
    print(f"schema {arguments.schema}: migration {done.applied} of {done.latest}")  # noqa: T201 - as above
    return 0


async def _run(arguments: argparse.Namespace) -> MigrationStatus:
    with translated("connecting", arguments.schema):
        pool = await asyncpg.create_pool(
            arguments.url,
            min_size=1,
            max_size=1,
            statement_cache_size=0,  # a pooler may stand between
        )
    async with pool:
        if arguments.command == "migrate":
            return await migrate(pool, schema=arguments.schema)
        if arguments.command == "rollback":
            return await rollback(pool, schema=arguments.schema, to=arguments.to)
        return await status(pool, schema=arguments.schema)


if __name__ == "__main__":
    sys.exit(main())
