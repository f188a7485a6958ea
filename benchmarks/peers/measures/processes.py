"""One process and several, while a reader in another one follows; and whether it missed any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.process import several
from benchmarks.peers.sides import Ability

if TYPE_CHECKING:
    from benchmarks.peers.process import Process
    from benchmarks.peers.run import Run


def measure(run: Run) -> None:
    """Let one process and all of them take turns, side by side for each library."""
    for side in run.able(Ability.APPEND, Ability.READ):
        if side.is_limit:
            continue
        run.step(f"processes: {side.label}")
        with (
            run.servers.place(side) as url,
            several(url, side, run.plan.processes + 1, run.plan.connections) as processes,
        ):
            run.servers.checkpoint()
            _measure(run, processes)


def _measure(run: Run, processes: list[Process]) -> None:
    plan = run.plan
    reader, *writers = processes
    reader.ask("tail")
    appended = 0
    for number in range(plan.rounds + 1):
        for count in (1, plan.processes):
            tasks = plan.processes * plan.tasks_each // count
            for writer in writers[:count]:
                writer.send("append", tasks=tasks, events=1, seconds=plan.seconds)
            figures = [writer.answer() for writer in writers[:count]]
            appended += sum(f["appends"] for f in figures)
            if number:
                rate = sum(f["events_per_second"] for f in figures)
                run.results.add(
                    "processes", reader.side.name, {"events_per_second": rate}, processes=count
                )
    reader.send(None)
    seen = reader.answer()["seen"]
    run.results.add("lost", reader.side.name, {"appended": appended, "lost": appended - seen})
