"""Taking turns, medians, and a table."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.peers.payload import CURRENCY, EVENT_TYPE, MEMO, OWNER
from eventsourcing_core import Aggregate, Event, event

Side = Callable[[], Awaitable[object]]


@event(EVENT_TYPE)
class Deposited:
    """A typed event of about 100 bytes: what is compared with other libraries, too."""

    owner: str
    amount: int
    currency: str
    memo: str


class Purse(Aggregate):
    """Rebuilt from deposits."""

    balance: int = 0

    def deposit(self) -> None:
        """Record one."""
        self._record(Deposited(OWNER, 1, CURRENCY, MEMO))

    def apply(self, event: Event[Deposited]) -> None:
        """Add."""
        match event.data:
            case Deposited(amount=amount):
                self.balance += amount


def deposits(count: int) -> list[Event[Deposited]]:
    """Make that many events."""
    return [Event.of(Deposited(OWNER, 1, CURRENCY, MEMO)) for _ in range(count)]


async def take_turns(sides: dict[str, Side], rounds: int) -> dict[str, list[float]]:
    """Run each side once per round, after one round that does not count; give the seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            begin = time.perf_counter()
            await side()
            if number:
                seconds[name].append(time.perf_counter() - begin)
    return seconds


def resident_megabytes() -> float:
    """Give what this process has in memory now, as Linux counts it."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / 1024**2


def report(title: str, seconds: dict[str, list[float]], *, count: int, unit: str) -> None:
    """Print a table: median, spread, rate, and the ratio to the first line."""
    print(f"\n{title}")
    print(f"  {'':<44}{'median':>12}{'min':>12}{'max':>12}{unit + '/s':>14}{'ratio':>8}")
    base = statistics.median(next(iter(seconds.values())))
    for name, values in seconds.items():
        median = statistics.median(values)
        times = "".join(f"{_readable(value):>12}" for value in (median, min(values), max(values)))
        print(f"  {name:<44}{times}{count / median:>14,.0f}{median / base:>8.2f}")


def _readable(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.2f} {unit}"
    return f"{seconds * 1e9:.0f} ns"
