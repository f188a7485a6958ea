"""A reactor of which process after process is killed: at least once, and in order for each key."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

from eventsourcing_core import Event, open_backend
from tests.projections_under_load._events import Moved, key_of, types
from tests.projections_under_load._histories import Applied, wrong_repetitions
from tests.projections_under_load._waiting import have_arrived, until
from tests.projections_under_load._workers import started
from tests.projections_under_load._writers import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core import Backend
    from tests.projections_under_load._places import Place

LEASE = 1.0  # seconds
KILLS = 8


def lines_of(file: Path) -> list[Applied]:
    """Give what was done; the last line of a process that was killed may be half a line."""
    lines = file.read_text("utf-8").splitlines()
    return [Applied(*json.loads(line)) for line in lines]


async def test_a_reactor_gets_every_event_at_least_once_and_in_order(
    place: Place, tmp_path: Path
) -> None:
    random = Random("kills")  # noqa: S311 - no secret
    is_over, may_go_on = asyncio.Event(), asyncio.Event()
    may_go_on.set()
    command = ("react", place.url, LEASE, tmp_path / "mails")
    async with (
        open_backend(place.url, event_types=types, migrate=True) as backend,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as tasks,
    ):
        workers = [await stack.enter_async_context(started(*command)) for _ in range(2)]
        writing = tasks.create_task(Writer(backend, "reactor", is_over, may_go_on).work())
        for _ in range(KILLS):
            await asyncio.sleep(random.uniform(0.1, 1))
            await workers.pop(0).kill()
            workers.append(await stack.enter_async_context(started(*command)))
        is_over.set()
        await writing
        await check(backend, tmp_path / "mails")
        for worker in workers:
            await worker.end()


async def test_a_reactor_that_died_before_it_was_noted_reacts_again(
    place: Place, tmp_path: Path
) -> None:
    command = ("react", place.url, LEASE, tmp_path / "mails")
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with started(*command) as worker:
            last = Event.of(Moved(-1, "account-1"), event_types=types)
            await backend.event_store.append("moves", [last], expected_version=0)
            assert await worker.hear() == ["asleep"]
            await worker.kill()
        async with started(*command) as worker:
            assert await worker.hear() == ["asleep"]
            worker.tell()
            await check(backend, tmp_path / "mails")
            await worker.end()
    assert len(lines_of(tmp_path / "mails")) == 2


async def check(backend: Backend, file: Path) -> None:
    """See that all was done, at least once and in order for each key."""
    head = await backend.event_store.last_position()
    await until(lambda: have_arrived(backend, head))
    expected = [
        Applied(str(event.event_id), key_of(event), event.position)
        async for event in backend.event_store.read_all(event_types=[Moved])
    ]
    assert expected
    assert wrong_repetitions(expected, lines_of(file)) == []
