"""What was aimed at, as ratios within one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.peers.measures.imports import NOTHING
from benchmarks.peers.sides import BARE, HOT, OURS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.results import Results

Measured = float | None


@dataclass(frozen=True)
class Target:
    """A bound, and where the figure comes from."""

    what: str
    bound: float
    figure: Callable[[Results], Measured]
    unit: str = "x"
    at_least: bool = True

    @property
    def sense(self) -> str:
        """Give it in words."""
        return "at least" if self.at_least else "at most"

    def is_met(self, measured: float) -> bool:
        """Compare."""
        return measured >= self.bound if self.at_least else measured <= self.bound


def targets(results: Results) -> list[tuple[Target, float]]:
    """Give those whose figures were measured."""
    found = ((target, target.figure(results)) for target in TARGETS)
    return [(target, measured) for target, measured in found if measured is not None]


def _divided(over: Measured, under: Measured) -> Measured:
    return None if over is None or not under else over / under


def _appending(peer: str, tasks: int) -> Callable[[Results], Measured]:
    def ratio(results: Results) -> Measured:
        ours, theirs = (
            results.median("append", side, "events_per_second", tasks=tasks, events=1)
            for side in (OURS, peer)
        )
        return _divided(ours, theirs)

    return ratio


def _loading(peer: str, *, inverse: bool = False) -> Callable[[Results], Measured]:
    def ratio(results: Results) -> Measured:
        ours, theirs = (results.median("load", side, "ms", events=10_000) for side in (OURS, peer))
        return _divided(ours, theirs) if inverse else _divided(theirs, ours)

    return ratio


def _processes(results: Results) -> Measured:
    one, several = (
        results.median("processes", OURS, "events_per_second", processes=count) for count in (1, 4)
    )
    return _divided(several, one)


def _replaying(results: Results) -> Measured:
    ours, bare = (
        results.median("replay", side, "events_per_second", events=1_000_000)
        for side in (OURS, BARE)
    )
    return _divided(ours, bare)


def _importing(results: Results) -> Measured:
    core, nothing = (
        results.median("import", name, "ms") for name in ("eventsourcing_core", NOTHING)
    )
    return None if core is None or nothing is None else core - nothing


def _racing(peer: str) -> Callable[[Results], Measured]:
    def ratio(results: Results) -> Measured:
        hot, theirs = (
            results.median("race", side, "events_per_second", tasks=16) for side in (HOT, peer)
        )
        return _divided(hot, theirs)

    return ratio


def _of_ours(measure: str, value: str, **parameters: int) -> Callable[[Results], Measured]:
    return lambda results: results.median(measure, OURS, value, **parameters)


TARGETS = (
    Target("64 tasks, to eventsourcing", 30, _appending("eventsourcing", 64)),
    Target(
        "64 tasks, to eventsourcing with functions", 30, _appending("eventsourcing_functions", 64)
    ),
    Target("64 tasks, to eventsource-py", 20, _appending("eventsource_py", 64)),
    Target("64 tasks, to UmaDB's Python client", 2, _appending("umadb", 64)),
    Target("1 task, to eventsourcing", 3, _appending("eventsourcing", 1)),
    Target("1 task, to eventsourcing with functions", 3, _appending("eventsourcing_functions", 1)),
    Target("1 task, to the bare INSERT", 0.8, _appending(BARE, 1)),
    Target("16 tasks update one aggregate, to UmaDB racing", 5, _racing("umadb")),
    Target("load 10,000 events, to eventsourcing", 10, _loading("eventsourcing")),
    Target("load 10,000 events, to eventsource-py", 10, _loading("eventsource_py")),
    Target(
        "load 10,000 events, of bare fetch and decode",
        1.5,
        _loading(BARE, inverse=True),
        at_least=False,
    ),
    Target("load 10,000 events", 100, _of_ours("load", "ms", events=10_000), " ms", at_least=False),
    Target("four processes, to one", 1, _processes),
    Target("missed by a reader", 0, _of_ours("lost", "lost"), " events", at_least=False),
    Target("reader's latency, p50", 5, _of_ours("latency", "p50_ms"), " ms", at_least=False),
    Target("reader's latency, p99", 25, _of_ours("latency", "p99_ms"), " ms", at_least=False),
    Target("replay a million, of bare pages", 0.7, _replaying),
    Target(
        "replay a million, growth",
        50,
        _of_ours("replay", "growth_mb", events=1_000_000),
        " MB",
        at_least=False,
    ),
    Target("import the core", 50, _importing, " ms", at_least=False),
)
