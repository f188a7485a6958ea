"""A process that updates a few purses in many tasks; it says as JSON what each was told.

``python -m tests.every_store.hot_worker URL NAME CACHE TASKS COMMANDS PAUSE``; a ``CACHE`` of 0 is
none, and between two commands a task makes a pause of at most ``PAUSE`` milliseconds. One whose
name begins with ``decider`` has a decider in place of aggregates.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from eventsourcing_core import open_backend
from tests.every_store._hot_histories import (
    HotPurse,
    Move,
    OverdrawnError,
    Told,
    decider_types,
    purses,
    types,
)

if TYPE_CHECKING:
    from eventsourcing_core import Backend

PURSES = ("one", "two", "three")
ATTEMPTS = 10_000  # a conflict is nobody's refusal
COMMAND_IDS = 0.2  # of the commands have one, and half of these are given twice at once
CANCELLED = 0.1  # of the others are cancelled


Update = Callable[[str, Move, str | None], Awaitable[tuple[list[str], int]]]
"""Gives a command to a purse, and gives its tags and its version."""


def of_aggregates(backend: Backend, cache: int) -> Update:
    """Give what updates aggregates."""
    repository = backend.repository(HotPurse, cache=cache or None, snapshot_frequency=50)

    async def update(purse: str, command: Move, command_id: str | None) -> tuple[list[str], int]:
        updated = await repository.update(
            purse,
            lambda purse: purse.move(command.tag, command.amount),
            attempts=ATTEMPTS,
            command_id=command_id,
        )
        return updated.tags, updated.version

    return update


def of_a_decider(backend: Backend, cache: int) -> Update:
    """Give what lets a decider decide."""
    repository = backend.repository(purses, cache=cache or None, snapshot_frequency=50)

    async def update(purse: str, command: Move, command_id: str | None) -> tuple[list[str], int]:
        updated = await repository.decide(purse, command, attempts=ATTEMPTS, command_id=command_id)
        return updated.state.tags, updated.version

    return update


class Caller:
    """Gives commands to purses, and writes down what it was told."""

    def __init__(self, update: Update, name: str) -> None:
        self._update = update
        self._name = name
        self._random = random.Random(name)  # noqa: S311 - no secret
        self.told: list[Told] = []

    async def call(self, number: int) -> None:
        """Give one command."""
        tag = f"{self._name}-{number}"
        purse = self._random.choice(PURSES)
        amount = self._random.randint(-30, 25)
        is_named = self._random.random() < COMMAND_IDS
        is_twice = is_named and self._random.random() < 0.5
        patience = None
        if not is_named and self._random.random() < CANCELLED:
            patience = self._random.uniform(0, 0.01)
        await asyncio.gather(
            *(
                self._give(purse, tag, amount, tag if is_named else None, patience)
                for _ in range(1 + is_twice)
            )
        )

    async def _give(
        self, purse: str, tag: str, amount: int, command_id: str | None, patience: float | None
    ) -> None:
        began = time.monotonic_ns()

        def told(outcome: str, version: int) -> None:
            self.told.append(
                Told(purse, tag, amount, outcome, version, began, time.monotonic_ns())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is one of them
            )

        try:
            async with asyncio.timeout(patience):
                tags, version = await self._update(purse, Move(tag, amount), command_id)
        except OverdrawnError as error:
            told("overdrawn", error.version)
        except TimeoutError:
            told("cancelled", 0)
        else:
            # A repetition gives the aggregate as it is now.
            last = tags.index(f"{tag}/b") + 1 if command_id else version
            told("done", last)


async def main(  # noqa: PLR0913 - the command line
    url: str, name: str, cache: int, tasks: int, commands: int, pause: int
) -> None:
    """Update, and print what was told."""
    is_decider = name.startswith("decider")
    async with open_backend(url, event_types=decider_types if is_decider else types) as backend:
        update = of_a_decider(backend, cache) if is_decider else of_aggregates(backend, cache)
        caller = Caller(update, name)
        print(json.dumps("ready"), flush=True)
        sys.stdin.readline()

        async def one_task(task: int) -> None:
            for number in range(task, commands, tasks):
                await caller.call(number)
                await asyncio.sleep(random.uniform(0, pause / 1000))  # noqa: S311 - no secret

        await asyncio.gather(*map(one_task, range(tasks)))
        print(json.dumps(caller.told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
