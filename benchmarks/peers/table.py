"""A table, as plain text and as Markdown, and how it shows figures."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.peers.sides import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NO = "-"


@dataclass(frozen=True)
class Table:
    """What one table shows. The first column is text, the others are figures."""

    name: str
    """What the documentation calls it by."""
    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def text(table: Table) -> str:
    """Render for a terminal."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    shown = (
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for line in lines
    )
    return f"\n{table.title}\n" + "\n".join(f"  {line}" for line in shown)


def markdown(table: Table) -> str:
    """Render for the documentation."""
    rule = ("---", *("---:" for _ in table.header[1:]))
    lines = [table.header, rule, *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def label(side: str) -> str:
    """Give what the tables call a side."""
    return BY_NAME[side].label if side in BY_NAME else side


def number(value: float | None, unit: str = "") -> str:
    """Show three digits that mean something, or all before the point."""
    if value is None:
        return NO
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - digits
    return f"{value:,.{digits}f}{unit}"


def spread(values: Sequence[float]) -> str:
    """Show the median, and the lowest and the highest of the rounds."""
    if not values:
        return NO
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({number(min(values))} to {number(max(values))})"


def times(over: float | None, under: float | None) -> str:
    """Show a ratio."""
    return NO if not over or not under else number(over / under, "x")


def grid(
    name: str,
    title: str,
    sides: list[str],
    columns: Sequence[tuple[str, Any]],
    cell: Callable[[str, Any], str],
) -> Table:
    """Make a table with a row for each side, and a column for each value of a parameter."""
    rows = [(label(side), *(cell(side, value) for _, value in columns)) for side in sides]
    return Table(name, title, ("", *(head for head, _ in columns)), rows)
