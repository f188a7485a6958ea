"""``eventsourcing stats``: how much is in a store, and who appends now."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from eventsourcing_cli._appenders import appenders_of, said_of
from eventsourcing_cli._arguments import OneObject, Url, examples
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._events import write_columns
from eventsourcing_cli._store import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from eventsourcing_core.stores import Appender, StoreStatistics


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing stats postgresql://user@host/bank",
            "eventsourcing stats sqlite:///bank.db --json | jq .events",
        )
    )(stats)


def stats(url: Url, *, as_json: OneObject = False) -> None:
    """Count what is in a store, and tell who appends now.

    Everything is counted, which takes a while where there are many millions of events. Of those who
    append, the first one holds readers of all streams back. In a pipe each fact is a line of
    columns with tabs between them.
    """
    statistics, appenders = asyncio.run(_looked_at(url))
    if as_json:
        _write_json(statistics, appenders)
    elif sys.stdout.isatty():
        _show(statistics, appenders)
    else:
        _write_lines(statistics, appenders)


async def _looked_at(url: str) -> tuple[StoreStatistics, Sequence[Appender]]:
    async with reading(url) as store:
        return await store.statistics(), await appenders_of(store)


def _write_json(statistics: StoreStatistics, appenders: Sequence[Appender]) -> None:
    facts: dict[str, object] = {
        field.name: getattr(statistics, field.name) for field in fields(statistics)
    }
    facts["event_types"] = dict(statistics.event_types)
    facts["appenders"] = [
        each._asdict() | {"since": each.since and each.since.isoformat()} for each in appenders
    ]
    sys.stdout.write(escaped(json.dumps(facts, ensure_ascii=False)) + "\n")


def _write_lines(statistics: StoreStatistics, appenders: Sequence[Appender]) -> None:
    stored = statistics.stored_bytes
    lines: list[tuple[object, ...]] = [
        ("events", statistics.events),
        ("streams", statistics.streams),
        ("last_position", statistics.last_position),
        ("data_bytes", statistics.data_bytes),
        ("stored_bytes", "" if stored is None else stored),
        *(("event_type", name, number) for name, number in statistics.event_types.items()),
        *(("appender", *("" if part is None else part for part in each)) for each in appenders),
    ]
    for line in lines:
        write_columns(*line)


def _show(statistics: StoreStatistics, appenders: Sequence[Appender]) -> None:
    console = Console(highlight=False)
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="bold")
    facts.add_column(justify="right")
    facts.add_row("events", f"{statistics.events:,}")
    facts.add_row("streams", f"{statistics.streams:,}")
    facts.add_row("last position", f"{statistics.last_position:,}")
    facts.add_row("data and metadata", decimal(statistics.data_bytes))
    if statistics.stored_bytes is not None:
        facts.add_row("on the disk", decimal(statistics.stored_bytes))
    console.print(facts)
    if statistics.event_types:
        console.print(_table_of_types(statistics))
    for number, each in enumerate(appenders):
        console.print(_told(each, is_first=number == 0))


def _table_of_types(statistics: StoreStatistics) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("\nevents", justify="right")
    table.add_column("\ntype", overflow="fold")
    most_first = sorted(statistics.event_types.items(), key=lambda item: -item[1])
    for name, number in most_first:
        table.add_row(f"{number:,}", Text(escaped(name)))
    return table


def _told(each: Appender, *, is_first: bool) -> Text:
    what = "readers of all streams stop after" if is_first else "began after"
    return Text.assemble(
        ("\nappends now: ", "bold yellow"),
        said_of(each),
        f"; {what} position {each.floor}",
    )
