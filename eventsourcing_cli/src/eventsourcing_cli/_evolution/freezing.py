"""``eventsourcing freeze``: examples of events into a folder, for ever."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer evaluates the hints
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import OneObject, examples
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._evolution.loading import (
    DEFAULT_FOLDER,
    Module,
    event_types_of,
    payloads_of,
)
from eventsourcing_core.evolution import freeze as freeze_types
from eventsourcing_core.plugins import installed_plugins

if TYPE_CHECKING:
    from eventsourcing_core.evolution import Freezing

_REFUSED = 1


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing freeze bank.events --into tests/frozen",
            "eventsourcing freeze bank.events:TYPES --serializer json --serializer msgpack",
        )
    )(freeze)


def freeze(
    module: Module,
    *,
    into: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder; it is made if need be.")
    ] = DEFAULT_FOLDER,
    serializer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A serializer; may be repeated. All installed ones, unless given."
        ),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            "--examples",
            metavar="CODE",
            help="Events in place of derived ones, as bank.samples:EVENTS.",
        ),
    ] = None,
    as_json: OneObject = False,
) -> int:
    """Write the layout and examples of each event type, once and for ever.

    What is in the folder is never changed: a type whose layout has changed gets one more file.
    Commit them, and let the tests read them: eventsourcing_core.testing.FrozenEventsContract. The
    exit code is 1 if a class takes no example that can be derived of its hints.
    """
    types = event_types_of(module)
    payloads = payloads_of(given) if given else ()
    names = serializer or sorted({"json", *installed_plugins().names("serializer")})
    done = freeze_types(types, into, names, payloads)
    if as_json:
        facts = {
            "written": [path.as_posix() for path in done.written],
            "kept": done.kept,
            "refused": done.refused,
        }
        typer.echo(escaped(json.dumps(facts, ensure_ascii=False)))
    else:
        _say(done)
    return _REFUSED if done.refused else 0


def _say(done: Freezing) -> None:
    for path in done.written:
        typer.echo(escaped(path.as_posix()))
    files = "1 file" if len(done.written) == 1 else f"{len(done.written):,} files"
    typer.echo(f"{files} written, {done.kept:,} frozen before")
    for event_type, reason in done.refused.items():
        typer.echo(escaped(f"{event_type}: {reason}"), err=True)
