"""Tables of the results, as plain text and as Markdown: medians, spread, and ratios."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.peers.measures.imports import NOTHING
from benchmarks.peers.sides import BARE, BY_NAME, OURS
from benchmarks.peers.targets import targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.peers.results import Results

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


def tables(results: Results) -> list[Table]:
    """Give all tables for which there are figures."""
    found = [
        *_appends(results),
        _race(results),
        _bulk(results),
        *_loads(results),
        _processes(results),
        _latency(results),
        *_growth(results),
        _replay(results),
        _imports(results),
        _targets(results),
    ]
    return [table for table in found if table.rows]


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


def _grid(
    name: str,
    title: str,
    sides: list[str],
    columns: Sequence[tuple[str, Any]],
    cell: Callable[[str, Any], str],
) -> Table:
    rows = [(label(side), *(cell(side, value) for _, value in columns)) for side in sides]
    return Table(name, title, ("", *(head for head, _ in columns)), rows)


def _appends(results: Results) -> list[Table]:
    made: list[Table] = []
    sides = results.sides("append")
    columns = [(f"{tasks} tasks", tasks) for tasks in results.parameters("append", "tasks")]

    def found(side: str, value: str, tasks: int, events: int) -> list[float]:
        return results.values("append", side, value, tasks=tasks, events=events)

    def median(side: str, value: str, tasks: int, events: int) -> float | None:
        return results.median("append", side, value, tasks=tasks, events=events)

    for events in results.parameters("append", "events"):
        each = "1 event" if events == 1 else f"{events} events"

        def rates(side: str, tasks: int, events: int = events) -> str:
            return spread(found(side, "events_per_second", tasks, events))

        def latencies(side: str, tasks: int, events: int = events) -> str:
            if side == "pgbench":
                return NO
            p50, p99 = (median(side, name, tasks, events) for name in ("p50_ms", "p99_ms"))
            return f"{number(p50)} / {number(p99)}"

        def ratios(side: str, tasks: int, events: int = events) -> str:
            ours, theirs = (median(one, "events_per_second", tasks, events) for one in (OURS, side))
            return times(ours, theirs)

        made += [
            _grid(
                f"append-{events}",
                f"Events per second, {each} in an append: median, and range of the rounds",
                sides,
                columns,
                rates,
            ),
            _grid(
                f"append-{events}-latency",
                f"Milliseconds that an append of {each} takes: p50 / p99",
                sides,
                columns,
                latencies,
            ),
            _grid(
                f"append-{events}-ratio",
                f"This library's rate as a multiple of each, {each} in an append",
                [side for side in sides if side != OURS],
                columns,
                ratios,
            ),
        ]
    return made


def _race(results: Results) -> Table:
    rows: list[tuple[str, ...]] = []
    for tasks in results.parameters("race", "tasks"):
        ours = results.median("race", OURS, "appends", tasks=tasks)
        for side in results.sides("race"):
            rates = results.values("race", side, "events_per_second", tasks=tasks)
            wins = results.median("race", side, "appends", tasks=tasks)
            conflicts = results.median("race", side, "conflicts", tasks=tasks)
            rows.append(
                (
                    label(side),
                    spread(rates),
                    number(conflicts / wins) if wins and conflicts is not None else NO,
                    times(ours, wins),
                )
            )
    tasks = ", ".join(map(str, results.parameters("race", "tasks")))
    return Table(
        "race",
        f"{tasks} tasks append to one stream",
        ("", "successes/s", "conflicts per success", "this library is"),
        rows,
    )


def _bulk(results: Results) -> Table:
    rows: list[tuple[str, ...]] = []
    for events in results.parameters("bulk", "events"):
        ours = results.median("bulk", OURS, "events_per_second", events=events)
        for side in results.sides("bulk"):
            values = results.values("bulk", side, "events_per_second", events=events)
            name = "COPY, bare asyncpg" if side == BARE else label(side)
            rows.append((name, spread(values), times(ours, statistics.median(values))))
    events = ", ".join(f"{count:,}" for count in results.parameters("bulk", "events"))
    return Table(
        "bulk", f"{events} events in one append", ("", "events/s", "this library is"), rows
    )


def _loads(results: Results) -> list[Table]:
    sizes = results.parameters("load", "events")
    columns = [(f"{size:,} events", size) for size in sizes]
    sides = results.sides("load")

    def milliseconds(side: str, size: int) -> str:
        return spread(results.values("load", side, "ms", events=size))

    def ratios(side: str, size: int) -> str:
        return times(
            results.median("load", side, "ms", events=size),
            results.median("load", OURS, "ms", events=size),
        )

    snapshots: list[tuple[str, ...]] = []
    for size in results.parameters("load_snapshot", "events"):
        for side in results.sides("load_snapshot"):
            by_snapshot = results.values("load_snapshot", side, "ms", events=size)
            full = results.median("load", side, "ms", events=size)
            snapshots.append(
                (
                    label(side),
                    spread(by_snapshot),
                    number(full),
                    times(
                        statistics.median(by_snapshot),
                        results.median("load_snapshot", OURS, "ms", events=size),
                    ),
                )
            )
    return [
        _grid("load", "Milliseconds to load an aggregate", sides, columns, milliseconds),
        _grid(
            "load-ratio",
            "Time to load an aggregate, as a multiple of this library's",
            [side for side in sides if side != OURS],
            columns,
            ratios,
        ),
        Table(
            "snapshot",
            "Milliseconds to load the longest of these by a snapshot",
            ("", "by snapshot", "all events", "of this library's"),
            snapshots,
        ),
    ]


def _processes(results: Results) -> Table:
    counts = results.parameters("processes", "processes")
    rows: list[tuple[str, ...]] = []
    for side in results.sides("processes"):
        rates = [
            results.values("processes", side, "events_per_second", processes=count)
            for count in counts
        ]
        medians = [statistics.median(values) for values in rates]
        (end,) = (results.find("lost", side) or {"rounds": [{}]})["rounds"]
        lost = f"{end['lost']:,} of {end['appended']:,}" if end else NO
        rows.append(
            (label(side), *(spread(r) for r in rates), times(medians[-1], medians[0]), lost)
        )
    heads = [f"{count} {'process' if count == 1 else 'processes'}" for count in counts]
    title = "Events per second, the same number of tasks in one process and in several"
    return Table("processes", title, ("", *heads, "several to one", "missed by a reader"), rows)


def _latency(results: Results) -> Table:
    rows = [
        (
            label(side),
            *(
                number(results.median("latency", side, name))
                for name in ("p50_ms", "p99_ms", "max_ms")
            ),
        )
        for side in results.sides("latency")
    ]
    title = "Milliseconds from the call of append until another process holds the event"
    return Table("latency", title, ("", "p50", "p99", "longest"), rows)


def _growth(results: Results) -> list[Table]:
    sizes = results.parameters("growth_append", "stored")
    columns = [(f"{stored:,} stored", stored) for stored in sizes]

    def appends(tasks: int) -> Table:
        def rate(side: str, stored: int) -> str:
            return spread(
                results.values(
                    "growth_append", side, "events_per_second", stored=stored, tasks=tasks
                )
            )

        title = f"Events per second by the size of the store, {tasks} tasks"
        sides = results.sides("growth_append")
        return _grid(f"growth-append-{tasks}", title, sides, columns, rate)

    def reads(measure: str, title: str) -> Table:
        def milliseconds(side: str, stored: int) -> str:
            return spread(results.values(measure, side, "ms", stored=stored))

        name = measure.replace("_", "-")
        return _grid(name, title, results.sides(measure), columns, milliseconds)

    return [
        *(appends(tasks) for tasks in results.parameters("growth_append", "tasks")),
        reads("growth_load", "Milliseconds to load 100 events, by the size of the store"),
        reads(
            "growth_page", "Milliseconds to read the last 1,000 events, by the size of the store"
        ),
    ]


def _replay(results: Results) -> Table:
    rows: list[tuple[str, ...]] = []
    for events in results.parameters("replay", "events"):
        bare = results.median("replay", BARE, "events_per_second", events=events)
        for side in results.sides("replay"):
            rates = results.values("replay", side, "events_per_second", events=events)
            growth = max(results.values("replay", side, "growth_mb", events=events))
            rows.append(
                (label(side), spread(rates), times(statistics.median(rates), bare), number(growth))
            )
    events = ", ".join(f"{count:,}" for count in results.parameters("replay", "events"))
    heads = ("", "events/s", "of the bare driver", "MB of growth")
    return Table("replay", f"Read and decode all {events} events", heads, rows)


def _imports(results: Results) -> Table:
    nothing = results.median("import", NOTHING, "ms") or 0
    rows: list[tuple[str, ...]] = [
        (
            name,
            spread(results.values("import", name, "ms")),
            number((results.median("import", name, "ms") or 0) - nothing),
        )
        for name in results.sides("import")
    ]
    title = "Milliseconds to start Python and import"
    return Table("imports", title, ("", "in all", "more than Python alone"), rows)


def _targets(results: Results) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            target.what,
            f"{target.sense} {number(target.bound, target.unit)}",
            number(measured, target.unit),
            "yes" if target.is_met(measured) else "no",
        )
        for target, measured in targets(results)
    ]
    return Table("targets", "Targets", ("", "target", "measured", "met"), rows)
