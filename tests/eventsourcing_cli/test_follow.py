"""`tail --follow`, step by step: what it asks of a store, and when it sleeps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_cli import _tail
from eventsourcing_cli._tail import Tail
from eventsourcing_core import Event, EventTypes, ExpectedVersion, open_backend
from tests.eventsourcing_cli._stores import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import AppendResult, Backend, RecordedEvent


class EnoughError(Exception):
    """Ends following."""


class Store:
    """A store in memory that notes what is waited for.

    Args:
        backend: Where the events are.
        rounds: For each time that somebody waits, the events that come then.
        is_in_flight: Whether there always are events that nobody may read yet.
    """

    def __init__(
        self,
        backend: Backend,
        *rounds: Sequence[Event[object]],
        is_in_flight: bool = False,
    ) -> None:
        self._store = backend.event_store
        self._rounds = list(rounds)
        self._is_in_flight = is_in_flight
        self.waited_for: list[int] = []

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: ExpectedVersion
    ) -> AppendResult:
        return await self._store.append(stream_id, events, expected_version=expected_version)

    def read_all(self, **options: Any) -> AsyncIterator[RecordedEvent[Any]]:
        return self._store.read_all(**options)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        self.waited_for.append(after_position)
        if self._is_in_flight:
            assert len(self.waited_for) < 10, "it does not sleep"
            return True
        if not self._rounds:
            raise EnoughError
        await self.append("doc-1", self._rounds.pop(0), expected_version=ExpectedVersion.ANY)
        return await self._store.wait(after_position=after_position, timeout=timeout)


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    """Give a store in memory with two events."""
    async with open_backend("memory://", event_types=EventTypes()) as opened:
        await opened.event_store.append("doc-1", [event(), event()], expected_version=0)
        yield opened


async def followed(
    store: Any, limit: int | None, *, types: list[str] | None = None, after: int = 0
) -> list[int]:
    """Follow until the store has no more; give the positions that were written."""
    written: list[int] = []
    tail = Tail(store, types, None, after)
    await tail.write_newest(lambda each: written.append(each.position), limit)
    with pytest.raises(EnoughError):
        await tail.follow(lambda each: written.append(each.position))
    return written


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, [1, 2, 3, 4, 5]), (1, [2, 3, 4, 5]), (0, [3, 4, 5])]
)
async def test_what_comes_is_written_once(
    backend: Backend, limit: int | None, expected: list[int]
) -> None:
    store = Store(backend, [event()], [event(), event()])
    assert await followed(store, limit) == expected


async def test_what_was_not_asked_for_is_passed_over_and_not_waited_for(backend: Backend) -> None:
    store = Store(backend, [event()], [event("rare")], [event()])
    assert await followed(store, None, types=["rare"]) == [4]
    assert store.waited_for == [2, 3, 4, 5]


async def test_a_position_that_is_to_come_is_waited_for(backend: Backend) -> None:
    store = Store(backend, [event(), event()])
    assert await followed(store, None, after=3) == [4]


async def test_it_sleeps_while_there_are_events_that_nobody_may_read_yet(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.tasks.sleep(0)
        slept.append(seconds)
        if len(slept) == 3:
            raise EnoughError

    monkeypatch.setattr(_tail, "_sleep", sleep)
    store = Store(backend, is_in_flight=True)
    assert await followed(store, None) == [1, 2]
    assert store.waited_for == [2, 2, 2]
    assert min(slept) > 0
