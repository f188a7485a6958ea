"""``eventsourcing export``: the events of a store into a file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path  # noqa: TC003 - typer evaluates the hints
from typing import Annotated

import typer

from eventsourcing_cli._appenders import appenders_of, warn_of_hidden_events
from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    Summary,
    check_is_file,
)
from eventsourcing_cli._arguments import OneObject, Prefix, Types, Url, examples
from eventsourcing_cli._collecting import rare_collections
from eventsourcing_cli._errors import interruption_says
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._progress import progress
from eventsourcing_cli._store import reading
from eventsourcing_cli._transfer import export_events, last_position_of, position_of


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing export sqlite:///bank.db bank.jsonl",
            "eventsourcing export postgresql://user@host/bank accounts.jsonl --prefix BankAccount-",
        )
    )(export)


def export(  # noqa: PLR0913 - the options of the command
    url: Url,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="The file to write.")
    ],
    *,
    types: Types = None,
    prefix: Prefix = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write in place of a file that is there.")
    ] = False,
    as_json: OneObject = False,
) -> None:
    """Write the events of a store into a file, with a checksum.

    Each event is a line of JSON. The file has its name once it is whole, and FILE.partial until
    then. After an interruption the same command goes on. Events that are appended while it runs may
    be left out.
    """
    _check_place(file, force=force)
    selection = Selection(tuple(types) if types else None, prefix or None)
    partial = f"what was written is in {file}.partial; the same command goes on after it"
    with interruption_says(partial), rare_collections():
        summary = asyncio.run(_exported(url, file, selection))
    if as_json:
        facts = {"file": str(file), "events": summary.events, "sha256": summary.sha256}
        typer.echo(escaped(json.dumps(facts)))
    else:
        typer.echo(escaped(f"{file}: {summary.events:,} events, SHA-256 {summary.sha256}"))


def _check_place(file: Path, *, force: bool) -> None:
    check_is_file(file)
    if not file.parent.is_dir():
        message = f"the directory {str(file.parent)!r} does not exist: make it first"
    elif file.exists() and not force:
        message = f"{file} is there already: give another name, or --force to replace it"
    else:
        return
    raise ArchiveError(message)


async def _exported(url: str, file: Path, selection: Selection) -> Summary:
    async with reading(url) as store:
        with PartialArchive(file, selection) as archive:
            appenders = await appenders_of(store)
            after = await position_of(store, archive, selection)
            last = await last_position_of(store)
            with progress("exporting", last, after) as on_position:
                await export_events(
                    store, archive, selection, after_position=after, on_position=on_position
                )
            warn_of_hidden_events(appenders, await appenders_of(store))
            return archive.finish()
