"""``eventsourcing show``: the events of one stream."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from eventsourcing_cli._arguments import AsJson, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._events import writer
from eventsourcing_cli._store import reading


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing show sqlite:///bank.db BankAccount-42",
            "eventsourcing show sqlite:///bank.db BankAccount-42 --backward --limit 1",
            "eventsourcing show sqlite:///bank.db BankAccount-42 --json | jq .data",
        )
    )(show)


def show(  # noqa: PLR0913 - the options of the command
    url: Url,
    stream: Annotated[
        str, typer.Argument(metavar="STREAM", show_default=False, help="Its id, as BankAccount-42.")
    ],
    *,
    from_version: Annotated[
        int, typer.Option("--from", metavar="VERSION", min=1, help="The lowest version to show.")
    ] = 1,
    to_version: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", min=1, help="The highest one.")
    ] = None,
    backward: Annotated[bool, typer.Option("--backward", help="Show the newest first.")] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=0, help="Show this many at the most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the events of one stream.

    In a pipe each event is a line of columns with tabs between them: version, position, time, type,
    data and metadata.
    """
    write = writer(as_json=as_json, of_one_stream=True)

    async def write_events() -> int:
        number = 0
        async with reading(url) as store:
            async for event in store.read(
                stream,
                from_version=from_version,
                to_version=to_version,
                backward=backward,
                limit=limit,
            ):
                write(event)
                number += 1
        return number

    if not asyncio.run(write_events()):
        is_all = from_version == 1 and to_version is None and limit != 0
        what = "no events" if is_all else "no such events"
        message = f"the stream {stream!r} has {what} in this store"
        raise NothingFoundError(message)
