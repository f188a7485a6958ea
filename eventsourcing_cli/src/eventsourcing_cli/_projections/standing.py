"""``eventsourcing projections``: how all that follows a store stands."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eventsourcing_cli._appenders import said_of
from eventsourcing_cli._arguments import AsJson, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._escape import escaped, on_one_line
from eventsourcing_cli._events import write_columns
from eventsourcing_cli._projections.arguments import On, done

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

    from eventsourcing_core import ProjectionStatus


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "list",
        epilog=examples(
            "eventsourcing projections postgresql://user@host/bank",
            "eventsourcing projections sqlite:///bank.db --json | jq .lag_seconds",
        ),
    )(list_projections)


def list_projections(url: Url, *, on: On = None, as_json: AsJson = False) -> None:
    """List what follows a store, how far it is, and who runs it.

    Lags are counted in positions, which are at least the events, and in seconds. In a pipe each
    version is a line of columns with tabs between them: name, version, kind, state, whether it is
    paused, position, head, both lags, segments, those that nobody has, owners, parked keys, who
    holds readers back, and the last error.
    """
    found = done(url, on, lambda projections: projections.status())
    if not found:
        message = "no projections in this store: one is made when a process first runs it"
        raise NothingFoundError(message)
    if as_json:
        for each in found:
            sys.stdout.write(escaped(json.dumps(_facts(each), ensure_ascii=False)) + "\n")
    elif sys.stdout.isatty():
        _show(found)
    else:
        for each in found:
            _write_line(each)


def _facts(each: ProjectionStatus) -> Mapping[str, object]:
    """Give a status as JSON has it."""
    facts = each._asdict()
    del facts["build"]
    held_by = each.held_by
    if held_by is not None:
        facts["held_by"] = held_by._asdict() | {
            "since": held_by.since and held_by.since.isoformat()
        }
    facts |= {"kind": each.kind.value, "lag_seconds": round(each.lag_seconds, 3)}
    return {"name": each.build.name, "version": each.build.version} | facts


def _write_line(each: ProjectionStatus) -> None:
    write_columns(
        *each.build,
        each.kind.value,
        each.state,
        "paused" if each.is_paused else "",
        each.position,
        each.head,
        each.lag_events,
        f"{each.lag_seconds:.3f}",
        each.segments,
        each.free,
        ",".join(each.owners),
        each.parked,
        "" if each.held_by is None else said_of(each.held_by),
        each.last_error or "",
    )


def _show(found: list[ProjectionStatus]) -> None:
    """Write a table of two lines for each, and below it what is too long for a table."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("name", overflow="fold")
    table.add_column("state", min_width=8)
    for column in ("position", "behind", "owned", "parked"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in found:
        table.add_row(*_cells(each))
    console = Console(highlight=False)
    console.print(table)
    for each in found:
        for owner in each.owners:
            _say(console, each, "run by", owner)
        if each.last_error:
            _say(console, each, "last error", each.last_error, "bold red")
    if found[0].held_by is not None:
        console.print(
            Text.assemble(("all are held up by ", "bold yellow"), said_of(found[0].held_by))
        )


def _cells(each: ProjectionStatus) -> list[Text]:
    version = (f"\n{each.kind.value} {each.build.version}", "dim")
    paused = ("\npaused", "yellow") if each.is_paused else ""
    taken = each.segments - each.free
    return [
        Text.assemble(each.build.name, version),
        Text.assemble((each.state, "bold" if each.state == "live" else ""), paused),
        Text.assemble(f"{each.position:,}", (f"\nof {each.head:,}", "dim")),
        Text.assemble(f"{each.lag_events:,}", (f"\n{_duration(each.lag_seconds)}", "dim")),
        Text(f"{taken}/{each.segments}", "yellow" if each.free else ""),
        Text(f"{each.parked:,}", "red" if each.parked else ""),
    ]


def _say(
    console: Console, each: ProjectionStatus, what: str, text: str, style: str = "bold"
) -> None:
    name, version = each.build
    console.print(Text.assemble((f"{name} {version} {what} ", style), on_one_line(text)))


def _duration(seconds: float) -> str:
    """Give a duration in at most six characters.

    >>> [_duration(each) for each in (0, 3.21, 754.0, 7_384.0, 200_000.0)]
    ['0.0 s', '3.2 s', '12m34s', '2h03m', '2d07h']
    """
    minute, hour, day = 60, 3_600, 86_400
    if seconds < minute:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < hour:
        return f"{whole // minute}m{whole % minute:02}s"
    if whole < day:
        return f"{whole // hour}h{whole % hour // minute:02}m"
    return f"{whole // day}d{whole % day // hour:02}h"
