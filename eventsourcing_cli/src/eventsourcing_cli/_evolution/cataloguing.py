"""``eventsourcing catalogue``: the event types of a program, as a page or as JSON Schema."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import examples
from eventsourcing_cli._evolution.loading import Module, event_types_of
from eventsourcing_core.evolution import catalogue_page, json_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core import EventTypes


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing catalogue bank.events > events.md",
            "eventsourcing catalogue bank.events --json-schema > events.schema.json",
        )
    )(catalogue)


def catalogue(
    module: Module,
    *,
    as_json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Write JSON Schema of what is stored as JSON.")
    ] = False,
) -> None:
    """Write the event types of a module as a page of Markdown.

    Each has its fields with their types, what becomes of an event without one, the classes in them
    and the docstrings. The same types give the same text, so that a copy in the repository shows in
    a diff what has changed.
    """
    write: Callable[[EventTypes], str] = _schema if as_json_schema else catalogue_page
    sys.stdout.write(write(event_types_of(module)))


def _schema(event_types: EventTypes) -> str:
    return json.dumps(json_schema(event_types), ensure_ascii=False, indent=2) + "\n"
