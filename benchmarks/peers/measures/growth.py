"""The same figures in a small store and in a large one, and a replay of all that is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peers.process import opened, several
from benchmarks.peers.sides import Ability

if TYPE_CHECKING:
    from benchmarks.peers.process import Process
    from benchmarks.peers.run import Run

LOADED = 100  # events of the aggregate that is loaded
PAGE = 1_000  # events at the end of the store, which a reader that keeps up reads
TASKS = (1, 64)
MOST_ROUNDS = 3  # there are many of them
MOST_REPLAYS = 2
SLOW = 20.0  # seconds; who takes longer for a replay does it once


def measure(run: Run) -> None:
    """Fill each store further and further."""
    with opened(run.servers, run.able(Ability.READ), run.plan.connections) as processes:
        for stored in run.plan.stored:
            for process in processes:
                run.step(f"fill to {stored:,} events: {process.side.label}")
                process.call("fill", stored)
            run.servers.checkpoint()
            _appends(run, processes, stored)
            _others(run, processes, stored)
            if stored == run.plan.replayed:
                _replay(run, processes, stored)


def _appends(run: Run, processes: list[Process], stored: int) -> None:
    for tasks in TASKS:
        run.step(f"growth: {tasks} tasks append, {stored:,} events stored")
        for number in range(min(MOST_ROUNDS, run.plan.rounds) + 1):
            for process in processes:
                if Ability.APPEND not in process.side.abilities:
                    continue
                figures = process.ask("append", tasks=tasks, events=1, seconds=run.plan.seconds)
                if number:
                    run.results.add(
                        "growth_append", process.side.name, figures, stored=stored, tasks=tasks
                    )


def _others(run: Run, processes: list[Process], stored: int) -> None:
    run.step(f"growth: load and read, {stored:,} events stored")
    loading = [process for process in processes if Ability.LOAD in process.side.abilities]
    keys = {process.side.name: process.call("seed", LOADED)["result"] for process in loading}
    # A page after a position that is surely there: ids may have holes, so ask for the end first.
    ends = {process.side.name: process.call("end")["result"] for process in processes}
    for number in range(min(MOST_ROUNDS, run.plan.rounds) + 1):
        for process in processes:
            name = process.side.name
            calls: dict[str, tuple[Any, ...]] = {"growth_page": ("page", ends[name] - PAGE, PAGE)}
            if name in keys:
                calls["growth_load"] = ("load", keys[name])
            for measure, call in calls.items():
                answer = process.call(*call, times=run.plan.repeats)
                if number:
                    milliseconds = 1000 * sum(answer["seconds"]) / run.plan.repeats
                    run.results.add(measure, name, {"ms": milliseconds}, stored=stored)


def _replay(run: Run, processes: list[Process], stored: int) -> None:
    slow: set[str] = set()
    for number in range(min(MOST_REPLAYS, run.plan.rounds)):
        for process in processes:
            name = process.side.name
            if name in slow:
                continue
            run.step(f"replay {stored:,} events, round {number + 1}: {process.side.label}")
            # In a fresh process: what earlier work left free would hide what this needs.
            with several(process.url, process.side, 1, run.plan.connections) as (fresh,):
                answer = fresh.ask("replay", limit=stored)
            if answer["result"] != stored:
                message = f"{name} read {answer['result']:,} of {stored:,} events"
                raise AssertionError(message)
            (seconds,) = answer["seconds"]
            if seconds > SLOW:
                slow.add(name)
            values = {"events_per_second": stored / seconds, "growth_mb": answer["growth_mb"]}
            run.results.add("replay", name, values, events=stored)
