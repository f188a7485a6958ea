"""`tail --follow`, step by step: what it asks of a store, and when it sleeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli import _tail
from eventsourcing_cli._tail import Selected, Tail
from eventsourcing_core import (
    EventCodec,
    EventTypes,
    ExpectedVersion,
    HistoryChangedError,
    StorageEventStore,
)
from eventsourcing_core.stores import OutageError
from eventsourcing_inmemory.plugin import backends
from tests.eventsourcing_cli._stores import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import Event
    from eventsourcing_core.stores import (
        Append,
        Matched,
        Parts,
        QueryItem,
        Row,
        RowPage,
        RowQuery,
        Span,
        Storage,
        Verdict,
    )

CODEC = EventCodec(event_types=EventTypes())


class EnoughError(Exception):
    """Ends following."""


class Told:
    """A storage that notes what is waited for.

    Args:
        storage: Where the events are.
        rounds: For each time that somebody waits, the events that come then.
        is_in_flight: Whether there always are events that nobody may read yet.
        between: Events that come one by one, each as soon as the store was looked at.
        outages: It is away so often when somebody waits; the events come meanwhile.
    """

    def __init__(
        self,
        storage: Storage,
        rounds: Sequence[Sequence[Event[object]]],
        *,
        is_in_flight: bool,
        between: Sequence[Event[object]],
        outages: Sequence[Sequence[Event[object]]],
    ) -> None:
        self._storage = storage
        self._rounds = list(rounds)
        self._is_in_flight = is_in_flight
        self._between = list(between)
        self._outages = list(outages)
        self.waited_for: list[int] = []
        self.waited_at: list[float] = []

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return await self._storage.write(appends)

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        return self._storage.rows(stream_id, span)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        pages = self._storage.rows_of_all(after, query, backward=backward, limit=limit)
        found = [page async for page in pages]
        if self._between:
            await self._append([self._between.pop(0)])
        for page in found:
            yield page

    async def _append(self, events: Sequence[Event[object]]) -> None:
        if not events:
            return
        await self._storage.write([CODEC.encode_append("doc-1", events, ExpectedVersion.ANY)])

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        return await self._storage.matching(items)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        self.waited_for.append(after_position)
        self.waited_at.append(asyncio.get_running_loop().time())
        if self._outages:
            await self._append(self._outages.pop(0))
            message = "nothing listens there"
            raise OutageError(message)
        if self._is_in_flight and len(self.waited_for) < 4:
            return True
        if not self._rounds:
            if await self._storage.wait(after_position=after_position, timeout=0):
                return True
            raise EnoughError
        await self._append(self._rounds.pop(0))
        return await self._storage.wait(after_position=after_position, timeout=timeout)


@pytest.fixture
async def parts() -> AsyncIterator[Parts]:
    """Give a store in memory with two events."""
    async with backends()["memory"]("memory://") as opened:
        async with StorageEventStore(opened, CODEC) as store:
            await store.append("doc-1", [event(), event()], expected_version=0)
        yield opened


async def followed(  # noqa: PLR0913 - what may come, and when
    parts: Parts,
    limit: int | None,
    *rounds: Sequence[Event[object]],
    types: list[str] | None = None,
    after: int = 0,
    is_in_flight: bool = False,
    between: Sequence[Event[object]] = (),
    outages: Sequence[Sequence[Event[object]]] = (),
) -> tuple[list[int], Told]:
    """Follow until the store has no more; give the positions that were written."""
    assert parts.storage is not None
    told = Told(parts.storage, rounds, is_in_flight=is_in_flight, between=between, outages=outages)
    written: list[int] = []
    async with StorageEventStore(replace(parts, storage=told), CODEC) as store:
        tail = Tail(store, Selected(types, None, None), after)
        await tail.write_newest(lambda each: written.append(each.position), limit)
        with pytest.raises(EnoughError):
            await tail.follow(lambda each: written.append(each.position))
    return written, told


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, [1, 2, 3, 4, 5]), (1, [2, 3, 4, 5]), (0, [3, 4, 5])]
)
async def test_what_comes_is_written_once(
    parts: Parts, limit: int | None, expected: list[int]
) -> None:
    written, _ = await followed(parts, limit, [event()], [event(), event()])
    assert written == expected


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, [1, 2, 3, 4, 5]), (1, [2, 3, 4, 5]), (0, [3, 4, 5])]
)
async def test_what_comes_between_two_looks_is_not_skipped(
    parts: Parts, limit: int | None, expected: list[int]
) -> None:
    written, _ = await followed(parts, limit, between=[event(), event(), event()])
    assert written == expected


@pytest.mark.parametrize("limit", [None, 1])
async def test_what_comes_between_two_looks_is_not_skipped_where_a_look_found_nothing(
    parts: Parts, limit: int | None
) -> None:
    between = [event("rare"), event(), event("rare")]
    written, _ = await followed(parts, limit, types=["rare"], between=between, after=2)
    assert written == [3, 5]


async def test_what_was_not_asked_for_is_skipped_and_not_waited_for(parts: Parts) -> None:
    written, told = await followed(
        parts, None, [event()], [event("rare")], [event()], types=["rare"]
    )
    assert written == [4]
    assert told.waited_for == [2, 3, 4, 5]


async def test_a_position_that_was_never_given_is_told(parts: Parts) -> None:
    with pytest.raises(HistoryChangedError):
        await followed(parts, None, [event(), event()], after=3)


async def test_it_sleeps_while_there_are_events_that_nobody_may_read_yet(parts: Parts) -> None:
    written, told = await followed(parts, None, is_in_flight=True)
    assert written == [1, 2]
    assert told.waited_for == [2, 2, 2, 2]
    assert min(later - earlier for earlier, later in pairwise(told.waited_at)) > 0.01


@pytest.mark.parametrize("types", [None, ["noted"]])
async def test_a_store_that_is_away_is_waited_for(
    parts: Parts,
    types: list[str] | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(_tail, "_SHORTEST_PAUSE", 0.01)
    away = [[event()] for _ in range(3)]
    written, _ = await followed(parts, 1, [event()], types=types, outages=away)
    assert written == [2, 3, 4, 5, 6]
    assert caplog.messages == ["nothing listens there; trying again in 0.01 s"] * 3


async def test_each_try_in_vain_is_followed_by_a_longer_pause(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_tail, "_SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(_tail, "_LONGEST_PAUSE", 0.03)
    await followed(parts, 1, types=["rare"], after=2, outages=4 * [[]])
    pauses = [message.rpartition("in ")[2] for message in caplog.messages]
    assert pauses == ["0.01 s", "0.02 s", "0.03 s", "0.03 s"]
