"""Who waits for what was written reads it afterwards, however many do so at once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, ExpectedVersion, open_backend
from eventsourcing_core._projections.projections import Projections
from tests.projections_under_load._events import Moved, types
from tests.projections_under_load._projections import view_of

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core import AppendResult, Backend

WRITES = 10_000
TASKS = 250
PATIENCE = 60.0  # seconds


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'events.db'}"
    found: str = request.getfixturevalue("make_database")()
    return found


async def write_and_look(backend: Backend, projector: Projections, writes: int) -> list[str]:
    """Write in many tasks, each to a stream of its own, and say what was not there afterwards."""
    view = backend.view(view_of(1))
    numbers = iter(range(writes))
    early: list[str] = []

    async def write(stream_id: str) -> None:
        for version, _ in zip(count(1), numbers, strict=False):
            result = await append(backend, stream_id)
            await projector.wait_for(result, "tally", timeout=PATIENCE)
            value = await view.get(stream_id)
            if value is None or (value.events, value.last) != (version, result.position):
                early.append(f"{value} after {result} of {stream_id}")

    await asyncio.gather(*(write(f"stream-{n}") for n in range(TASKS)))
    assert next(numbers, None) is None
    return early


async def test_what_was_waited_for_is_in_the_view(url: str) -> None:
    async with (
        open_backend(url, event_types=types, max_waiting=2 * TASKS) as backend,
        backend.projector([view_of(1)()], segments=4) as projector,
    ):
        assert await write_and_look(backend, projector, WRITES) == []


async def test_who_does_not_wait_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_sure(*_: object) -> bool:
        return True

    monkeypatch.setattr(Projections, "_has_seen", is_sure)
    async with (
        open_backend("memory://", event_types=types) as backend,
        backend.projector([view_of(1)()]) as projector,
    ):
        await projector.pause("tally")
        assert await write_and_look(backend, projector, TASKS)


async def append(backend: Backend, stream_id: str) -> AppendResult:
    event = Event.of(Moved(1), event_types=types)
    return await backend.event_store.append(
        stream_id, [event], expected_version=ExpectedVersion.ANY
    )
