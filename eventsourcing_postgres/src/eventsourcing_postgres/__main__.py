"""The schema, from the command line: ``python -m eventsourcing_postgres status URL``."""

from __future__ import annotations

import argparse
import asyncio
import sys

from eventsourcing_core import EventSourcingError, open_migrator
from eventsourcing_postgres._migrator import PostgresMigrator


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
            help="postgresql://user@host/database, as the application has it: options that only "
            "the application needs are passed over",
        )
        command.add_argument("--schema", help="default: that of the URL, or else eventsourcing")
        if name == "rollback":
            command.add_argument("--to", type=int, required=True, help="the last one that stays")
    arguments = parser.parse_args()
    try:
        done = asyncio.run(_run(arguments))
    except (EventSourcingError, ValueError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)  # noqa: T201 - a program
        return 1
    print(done)  # noqa: T201 - as above
    return 0


async def _run(arguments: argparse.Namespace) -> str:
    options = {"schema": arguments.schema} if arguments.schema else {}
    async with open_migrator(arguments.url, **options) as migrator:
        if not isinstance(migrator, PostgresMigrator):
            message = "not the URL of a PostgreSQL server; it begins with postgresql://"
            raise ValueError(message)  # noqa: TRY004 - the text is wrong, not its type
        if arguments.command == "migrate":
            done = await migrator.migrate()
        elif arguments.command == "rollback":
            done = await migrator.rollback(to=arguments.to)
        else:
            done = await migrator.status()
    return f"schema {migrator.schema}: migration {done.applied} of {done.latest}"


if __name__ == "__main__":
    sys.exit(main())
