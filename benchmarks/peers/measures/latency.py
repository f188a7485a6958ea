"""How long after the call of append another process holds the event, while the store is idle."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.peers.process import several
from benchmarks.peers.sides import Ability

if TYPE_CHECKING:
    from benchmarks.peers.run import Run


def measure(run: Run) -> None:
    """Measure with one writer and one reader; the append itself is in the figure."""
    for side in run.able(Ability.FOLLOW):
        run.step(f"latency: {side.label}")
        with (
            run.servers.place(side) as url,
            several(url, side, 2, run.plan.connections) as (writer, reader),
        ):
            reader.ask("follow", count=run.plan.pings)
            begun = writer.ask("pings", count=run.plan.pings)["begun"]
            arrived = reader.answer()["arrived"]
        milliseconds = [(b - a) / 1e6 for a, b in zip(begun, arrived, strict=True)]
        cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
        values = {"p50_ms": cuts[49], "p99_ms": cuts[98], "max_ms": max(milliseconds)}
        run.results.add("latency", side.name, {**values, "all_ms": milliseconds})
