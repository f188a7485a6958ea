"""Following from the beginning: a million events, or one statement for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.projections import bare, ours, pyeventsourcing
from benchmarks.projections.apart import apart
from benchmarks.projections.results import below, rates, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.projections.apart import Figures
    from benchmarks.projections.command import Run

PAGE = 5_000  # what the store's own largest page has
LEAST_OF_READ_ALL, LEAST_OF_BARE, LEAST_OF_PEER, LEAST_ONE_BY_ONE = 0.4, 0.6, 20, 5
MOST_MEGABYTES = 50
READ, BARE, PEER = "read_all alone", "bare driver, pages and a cursor", "eventsourcing's runner"
VIEW, BY_PAGE, ONE_BY_ONE = "View", "Projection, apply_many", "Projection, apply"


def measure(run: Run) -> None:
    """Measure; targets: 0.4 of read_all, 0.6 of the bare driver, 20 and 5 times the peer."""
    with run.database() as url, run.database() as small:
        last = ours.made(url, run.events, run.streams)
        few = ours.made(small, run.few, run.streams)
        sides: dict[str, Callable[[], Figures]] = {
            READ: lambda: apart(ours.read_all, url),
            BARE: lambda: apart(bare.catch_up, url, PAGE),
            VIEW: lambda: apart(ours.catch_up, url, "count-view", last),
            BY_PAGE: lambda: apart(ours.catch_up, url, "count-by-page", last),
            ONE_BY_ONE: lambda: apart(ours.catch_up, small, "count-one-by-one", few),
            PEER: lambda: peer(run),
        }
        sides[READ]()  # what is read first comes from the disk
        runs: dict[str, list[Figures]] = {name: [] for name in sides}
        for _ in range(run.rounds):
            for name, side in sides.items():
                runs[name].append(side())

    found = rates(f"Catching up, {run.streams:,} streams in turns, one process", runs)
    for name in (VIEW, BY_PAGE):
        ratio(f"{name} / {READ}", found[name], found[READ], LEAST_OF_READ_ALL)
        ratio(f"{name} / {BARE}", found[name], found[BARE], LEAST_OF_BARE)
        ratio(f"{name} / {PEER}", found[name], found[PEER], LEAST_OF_PEER)
        growth = max(one.growth_mb for one in runs[name])
        below(f"{name}: growth of memory", growth, MOST_MEGABYTES, "MB")
    ratio(f"{ONE_BY_ONE} / {PEER}", found[ONE_BY_ONE], found[PEER], LEAST_ONE_BY_ONE)


def peer(run: Run) -> Figures:
    """Run the peer on a database of its own."""
    with run.database() as url:
        return apart(pyeventsourcing.catch_up, url, run.few)
