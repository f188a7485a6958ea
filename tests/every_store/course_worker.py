"""A process whose students take courses and give them up; it says as JSON what they were told.

``python -m tests.every_store.course_worker URL NAME WAY TASKS COMMANDS``
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import TYPE_CHECKING

from eventsourcing_core import open_backend
from tests.every_store._courses import Join, Leave, RefusedError, Told, give, types

if TYPE_CHECKING:
    from eventsourcing_core import Backend
    from tests.every_store._courses import Way

COURSES = ("a", "b", "c")
STUDENTS = ("1", "2", "3", "4", "5", "6")
LEAVING = 0.3  # of the commands


async def ask(backend: Backend, way: Way, name: str, chance: random.Random) -> Told:
    """Give one command, and say what came of it."""
    course, student = chance.choice(COURSES), chance.choice(STUDENTS)
    kind = Leave if chance.random() < LEAVING else Join
    try:
        await give(backend, way, kind(course, student, name))
    except RefusedError:
        return Told(kind.__name__, course, student, name, is_done=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is one of the two
    return Told(kind.__name__, course, student, name, is_done=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as above


async def main(url: str, name: str, way: Way, tasks: int, commands: int) -> None:
    """Give commands, and print what was told."""
    chance = random.Random(name)  # noqa: S311 - no secret
    async with open_backend(url, event_types=types) as backend:
        print(json.dumps("ready"), flush=True)
        sys.stdin.readline()

        async def one_task(task: int) -> list[Told]:
            numbers = range(task, commands, tasks)
            return [await ask(backend, way, f"{name}-{number}", chance) for number in numbers]

        told = await asyncio.gather(*map(one_task, range(tasks)))
        print(json.dumps([each for some in told for each in some]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the way is one of them
