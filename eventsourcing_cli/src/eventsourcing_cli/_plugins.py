"""``eventsourcing plugins``: what is installed, and what is wrong with it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.metadata import EntryPoint, entry_points
from importlib.metadata import version as version_of
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eventsourcing_cli._arguments import examples
from eventsourcing_cli._escape import escaped, on_one_line
from eventsourcing_core.hookspecs import PROJECT
from eventsourcing_core.plugins import load_plugins

_CORE = "eventsourcing-core"
_BROKEN = 1


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=examples("eventsourcing plugins", "eventsourcing plugins --json"))(plugins)


class Plugin(NamedTuple):
    """One thing that a distribution offers, or a plugin that is broken and offers nothing."""

    kind: str
    """``backend``, ``serializer``, …; ``broken`` where that could not be found out."""
    name: str
    """The URL scheme or the stored name; of a broken plugin, its own name."""
    plugin: str
    """The entry point; empty for what is in the core."""
    distribution: str
    """Who brings it."""
    version: str
    """The version of the distribution."""
    problem: str = ""
    """Why it cannot be used, and what to do; empty if it can."""


def plugins(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write one object of JSON.")] = False
) -> int:
    """List what is installed, and what is wrong with it.

    That is backends, migrators, serializers and transformers.
    A plugin that cannot be used is listed with the reason, and so are two that offer one name: then
    the exit code is 1. In a pipe each line has columns with tabs between them: kind, name, plugin,
    distribution, version and problem.
    """
    found = installed()
    if as_json:
        sys.stdout.write(
            escaped(json.dumps({"plugins": [each._asdict() for each in found]})) + "\n"
        )
    elif sys.stdout.isatty():
        _show(found)
    else:
        for each in found:
            sys.stdout.write("\t".join(map(on_one_line, each)) + "\n")
    return _BROKEN if any(each.problem for each in found) else 0


def installed() -> list[Plugin]:
    """List everything that is offered, by kind and name; what is broken comes last."""
    found = [Plugin("serializer", "json", "", _CORE, version_of(_CORE))]
    for entry_point in entry_points(group=PROJECT):
        found += _offered_by(entry_point)
    offers = Counter((each.kind, each.name) for each in found)
    marked = [_marked(each, offers[each.kind, each.name]) for each in found]
    return sorted(marked, key=lambda each: (each.kind == "broken", each))


def _offered_by(entry_point: EntryPoint) -> list[Plugin]:
    # One by one, since two distributions may have given their entry points one name.
    loaded = load_plugins([entry_point])
    brought = entry_point.dist
    by = (brought.name, brought.version) if brought else ("", "")
    return [
        *(Plugin(each.kind, each.name, each.plugin, *by) for each in loaded.offers),
        *(Plugin("broken", name, name, *by, str(why)) for name, why in loaded.broken.items()),
    ]


def _marked(each: Plugin, offers: int) -> Plugin:
    if each.kind == "broken" or offers == 1:
        return each
    return each._replace(problem="another plugin offers this name: uninstall all but one of them")


def _show(found: list[Plugin]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("kind", "name", "distribution", "version"):
        table.add_column(column, overflow="fold")
    for each in found:
        style = "red" if each.problem else ""
        columns = (each.kind, each.name, each.distribution, each.version)
        table.add_row(*[Text(escaped(column)) for column in columns], style=style)
    console = Console(highlight=False)
    console.print(table)
    for each in found:
        if each.problem:
            name = Text.assemble((f"{escaped(each.name)}: ", "bold red"))
            console.print(name + Text(on_one_line(each.problem)))
