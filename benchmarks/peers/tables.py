"""The tables of the results: medians, spread, and ratios."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.peers.measures.imports import NOTHING
from benchmarks.peers.measures.pgbench import PGBENCH
from benchmarks.peers.plan import CONNECTIONS
from benchmarks.peers.sides import BARE, BY_NAME, OURS
from benchmarks.peers.table import NO, Table, grid, label, number, spread, times
from benchmarks.peers.targets import targets

if TYPE_CHECKING:
    from benchmarks.peers.results import Results


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


def _appends(results: Results) -> list[Table]:
    return [
        table
        for events in results.parameters("append", "events")
        for table in _appends_of(results, events)
    ]


def _appends_of(results: Results, events: int) -> list[Table]:
    """Give the rates, the latencies and the ratios of appends of one size."""
    each = "1 event" if events == 1 else f"{events} events"
    sides = results.sides("append")
    columns = [(_tasks(tasks), tasks) for tasks in results.parameters("append", "tasks")]

    def median(side: str, value: str, tasks: int) -> float | None:
        return results.median("append", side, value, tasks=tasks, events=events)

    def rate(side: str, tasks: int) -> str:
        found = results.values("append", side, "events_per_second", tasks=tasks, events=events)
        return spread(found)

    def latency(side: str, tasks: int) -> str:
        if side == PGBENCH:  # it gives averages
            return NO
        if side in BY_NAME and BY_NAME[side].is_limit and tasks > CONNECTIONS:
            return NO  # who waits for a connection there is overtaken, so the times mean nothing
        return " / ".join(number(median(side, name, tasks)) for name in ("p50_ms", "p99_ms"))

    def ratio(side: str, tasks: int) -> str:
        ours, theirs = (median(one, "events_per_second", tasks) for one in (OURS, side))
        return times(ours, theirs)

    name = f"append-{events}"
    rates = f"Events per second, {each} in an append: median, and range of the rounds"
    latencies = f"Milliseconds that an append of {each} takes: p50 / p99"
    ratios = f"This library's rate as a multiple of each, {each} in an append"
    others = [side for side in sides if side != OURS]
    return [
        grid(name, rates, sides, columns, rate),
        grid(f"{name}-latency", latencies, sides, columns, latency),
        grid(f"{name}-ratio", ratios, others, columns, ratio),
    ]


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


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
        grid("load", "Milliseconds to load an aggregate", sides, columns, milliseconds),
        grid(
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

        title = f"Events per second by the size of the store, {_tasks(tasks)}"
        sides = results.sides("growth_append")
        return grid(f"growth-append-{tasks}", title, sides, columns, rate)

    def reads(measure: str, title: str) -> Table:
        def milliseconds(side: str, stored: int) -> str:
            return spread(results.values(measure, side, "ms", stored=stored))

        name = measure.replace("_", "-")
        return grid(name, title, results.sides(measure), columns, milliseconds)

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
