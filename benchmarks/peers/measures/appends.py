"""Appending: to streams of one's own, all to one stream, and many events at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks.peers.measures.pgbench import PGBENCH, Pgbench
from benchmarks.peers.process import opened
from benchmarks.peers.sides import Ability

if TYPE_CHECKING:
    from benchmarks.peers.process import Process
    from benchmarks.peers.run import Run

MOST_PGBENCH_CLIENTS = 64  # each is a connection, and the server takes 200


def measure(run: Run) -> None:
    """Measure all three, in one set of processes."""
    sides = [side for side in run.sides if side.abilities & {Ability.APPEND, Ability.RACE}]
    with opened(run.servers, sides, run.plan.connections) as processes:
        _streams_of_their_own(
            run, [process for process in processes if Ability.APPEND in process.side.abilities]
        )
        _one_stream(run, processes)
        _bulk(run, processes)


def _streams_of_their_own(run: Run, processes: list[Process]) -> None:
    plan = run.plan
    with Pgbench.on(run.servers) as pgbench:
        for events in plan.events:
            for tasks in plan.tasks:
                run.step(f"append: {tasks} tasks, {events} events each")
                run.servers.checkpoint()
                for number in range(plan.rounds + 1):
                    for process in processes:
                        figures = process.ask(
                            "append", tasks=tasks, events=events, seconds=plan.seconds
                        )
                        if number:
                            run.results.add(
                                "append", process.side.name, figures, tasks=tasks, events=events
                            )
                    if pgbench and number and events == 1 and tasks <= MOST_PGBENCH_CLIENTS:
                        figures = pgbench.insert(tasks, plan.seconds)
                        run.results.add("append", PGBENCH, figures, tasks=tasks, events=1)


def _one_stream(run: Run, processes: list[Process]) -> None:
    plan = run.plan
    run.step(f"race: {plan.racers} tasks on one stream")
    run.servers.checkpoint()
    for number in range(plan.rounds + 1):
        for process in processes:
            if Ability.RACE not in process.side.abilities:
                continue
            figures = process.ask(
                "append", tasks=plan.racers, events=1, seconds=plan.seconds, race=str(uuid4())
            )
            if number:
                run.results.add("race", process.side.name, figures, tasks=plan.racers)


def _bulk(run: Run, processes: list[Process]) -> None:
    plan = run.plan
    run.step(f"bulk: {plan.bulk:,} events in one append")
    run.servers.checkpoint()
    for number in range(plan.rounds + 1):
        for process in processes:
            if Ability.BULK not in process.side.abilities:
                continue
            (seconds,) = process.call("bulk", plan.bulk)["seconds"]
            if number:
                figures = {"events_per_second": plan.bulk / seconds}
                run.results.add("bulk", process.side.name, figures, events=plan.bulk)
