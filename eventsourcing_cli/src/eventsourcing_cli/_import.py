"""``eventsourcing import``: the events of a file into a store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path  # noqa: TC003 - typer evaluates the hints
from typing import Annotated

import typer
from rich.filesize import decimal

from eventsourcing_cli._archive import ArchiveError, Summary, checked
from eventsourcing_cli._arguments import OneObject, Transformers, Url, examples
from eventsourcing_cli._collecting import rare_collections
from eventsourcing_cli._errors import interruption_says
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._progress import added_up, progress
from eventsourcing_cli._transfer import import_events
from eventsourcing_core import EventTypes, open_backend


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "import",
        epilog=examples(
            "eventsourcing import bank.jsonl postgresql://user@host/bank",
            "eventsourcing import bank.jsonl sqlite:///copy.db --serializer msgpack",
        ),
    )(import_file)


def import_file(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", show_default=False, help="A file that export wrote."),
    ],
    url: Url,
    *,
    serializer: Annotated[
        str, typer.Option(metavar="NAME", help="What the store keeps the events in.")
    ] = "json",
    transformers: Transformers = None,
    as_json: OneObject = False,
) -> None:
    """Write the events of a file into a store, in the same order.

    Ids, versions and times are kept. The file is first compared with its checksum. Events that are
    in the store already are passed over, so after an interruption the same command goes on. Other
    events in the same streams are an error.
    """
    summary = _checked(file)
    says = interruption_says("what was written is whole; the same command goes on after it")
    with says, rare_collections():
        written = asyncio.run(_written(file, url, summary, serializer, transformers or []))
    if as_json:
        facts = {"file": str(file), "events": summary.events, "written": written}
        typer.echo(escaped(json.dumps(facts)))
    else:
        there = summary.events - written
        before = f", {there:,} were there already" if there else ""
        typer.echo(escaped(f"{file}: {written:,} events written{before}"))


def _checked(file: Path) -> Summary:
    if not file.exists():
        message = (
            f"there is no file {str(file)!r}: give the path of one that `eventsourcing export` "
            "wrote; it comes before the URL"
        )
        raise ArchiveError(message)
    with progress("checking the file", file.stat().st_size, shown=decimal) as on_read:
        return checked(file, added_up(on_read))


async def _written(
    file: Path, url: str, summary: Summary, serializer: str, transformers: list[str]
) -> int:
    opening = open_backend(
        url, serializer=serializer, transformers=transformers, event_types=EventTypes()
    )
    async with opening as backend:
        with progress("importing", summary.events) as on_done:
            return await import_events(backend.event_store, file, summary, added_up(on_done))
