"""Loading aggregates: from all their events, and by a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.process import opened
from benchmarks.peers.sides import Ability

if TYPE_CHECKING:
    from benchmarks.peers.process import Process
    from benchmarks.peers.run import Run

LONG = 1_000  # from so many events on an aggregate is loaded fewer times


def measure(run: Run) -> None:
    """Measure both, and check that what was loaded holds what was stored."""
    with opened(run.servers, run.able(Ability.LOAD), run.plan.connections) as processes:
        for events in run.plan.loads:
            run.step(f"load: {events:,} events")
            _load(run, processes, "load", events)
        longest = max(run.plan.loads)
        run.step(f"snapshot: {longest:,} events")
        able_to = [p for p in processes if Ability.SNAPSHOT in p.side.abilities]
        _load(run, able_to, "load_snapshot", longest)


def _load(run: Run, processes: list[Process], method: str, events: int) -> None:
    keys = [process.call("seed", events)["result"] for process in processes]
    if method == "load_snapshot":
        for process, key in zip(processes, keys, strict=True):
            process.call("take_snapshot", key)
    run.servers.checkpoint()
    times = run.plan.repeats if method != "load" or events < LONG else max(1, LONG * 2 // events)
    for number in range(run.plan.rounds + 1):
        for process, key in zip(processes, keys, strict=True):
            answer = process.call(method, key, times=times)
            if answer["result"] != events:
                message = f"{process.side.name} loaded {answer['result']} of {events} deposits"
                raise AssertionError(message)
            if number:
                milliseconds = 1000 * sum(answer["seconds"]) / times
                run.results.add(method, process.side.name, {"ms": milliseconds}, events=events)
