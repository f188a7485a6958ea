"""``eventsourcing streams``: which streams there are."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from eventsourcing_cli._arguments import AsJson, Prefix, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._events import write_columns
from eventsourcing_cli._store import reading

if TYPE_CHECKING:
    import typer

    from eventsourcing_core.stores import StreamInfo


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing streams sqlite:///bank.db",
            "eventsourcing streams sqlite:///bank.db --prefix BankAccount- | wc -l",
        )
    )(streams)


def streams(url: Url, *, prefix: Prefix = None, as_json: AsJson = False) -> None:
    """List the streams of a store, by their ids, each with its version.

    In a pipe each stream is a line of two columns with a tab between them: id and version.
    """

    async def write_streams() -> int:
        number = 0
        async with reading(url) as store:
            async for stream in store.streams(prefix=prefix or None):
                _write(stream, as_json=as_json)
                number += 1
        return number

    if not asyncio.run(write_streams()):
        message = f"no {'such ' if prefix else ''}streams in this store"
        raise NothingFoundError(message)


def _write(stream: StreamInfo, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(escaped(json.dumps(stream._asdict(), ensure_ascii=False)) + "\n")
    elif sys.stdout.isatty():
        version = (f"{stream.version:>8}  ", "green")
        Console(highlight=False).print(Text.assemble(version, escaped(stream.stream_id)))
    else:
        write_columns(stream.stream_id, stream.version)
