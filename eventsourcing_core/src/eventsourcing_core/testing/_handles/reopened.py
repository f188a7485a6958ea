"""A store that is closed and opened again: nothing is lost, forgotten or given twice."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core._events.event import Event
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY, NO_STREAM
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import at_place, facts
from eventsourcing_core.testing._samples import (
    EVENT_TYPES,
    Opened,
    collected,
    counted,
    numbers_of,
    versions_of,
)

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core.testing._contract import Reopen

_MANY = 300
_LONGEST = "\U0001f389" * 255


class ReopenedContract(Chapter, needs=("is_durable",)):
    """Events, versions and positions."""

    async def test_what_was_appended_is_there_when_it_is_opened_again(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await _fill(store)
            before = await _everything_in(store)
        for _ in range(2):
            async with reopen() as store:
                assert await _everything_in(store) == before

    async def test_versions_go_on_when_it_is_opened_again(self, reopen: Reopen) -> None:
        for version in range(12):
            async with reopen() as store:
                for wrong in {max(0, version - 1), version + 1} - {version}:
                    with pytest.raises(ConcurrencyError) as caught:
                        await store.append("doc-1", counted(-1), expected_version=wrong)
                    assert caught.value.actual == version
                expected = version if version % 3 else ANY
                result = await store.append("doc-1", counted(version), expected_version=expected)
                assert result.version == version + 1
        async with reopen() as store:
            with pytest.raises(ConcurrencyError):
                await store.append("doc-1", counted(-1), expected_version=NO_STREAM)
            events = await collected(store.read("doc-1"))
            assert versions_of(events) == [*range(1, 13)]
            assert numbers_of(events) == [*range(12)]

    async def test_positions_are_not_given_again_when_it_is_opened_again(
        self, reopen: Reopen
    ) -> None:
        given: list[int] = []
        for number in range(4):
            async with reopen() as store:
                assert await store.last_position() >= max(given, default=0)
                for stream_id in ("a", "b", f"new-{number}"):
                    result = await store.append(stream_id, counted(1), expected_version=ANY)
                    given.append(result.position)
        assert given == sorted(set(given))
        async with reopen() as store:
            assert [event.position for event in await collected(store.read_all())] == given

    async def test_an_append_can_be_repeated_when_it_is_opened_again(self, reopen: Reopen) -> None:
        appends = {"a": counted(1, 2), "b": counted(*range(_MANY)), _LONGEST: counted(3)}
        async with reopen() as store:
            await store.append("a", counted(0), expected_version=0)
            results = [
                await store.append(stream_id, events, expected_version=int(stream_id == "a"))
                for stream_id, events in appends.items()
            ]
        async with reopen() as store:
            again = [
                await store.append(stream_id, events, expected_version=int(stream_id == "a"))
                for stream_id, events in appends.items()
            ]
            assert again == results
            assert len(await collected(store.read_all())) == _MANY + 4

    async def test_what_was_confirmed_while_it_was_closed_is_there(self, reopen: Reopen) -> None:
        async with reopen() as store:
            tasks = [
                asyncio.create_task(store.append(f"s-{n % 5}", counted(n), expected_version=ANY))
                for n in range(40)
            ]
            await asyncio.sleep(0)
        async with asyncio.timeout(self.deadline):
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        async with reopen() as store:
            stored = {
                AppendResult(event.version, event.position): event.data["number"]
                for event in await collected(store.read_all())
            }
        confirmed = {o: n for n, o in enumerate(outcomes) if isinstance(o, AppendResult)}
        assert confirmed.items() <= stored.items()

    async def test_an_append_that_was_cancelled_is_whole_or_undone_when_it_is_opened_again(
        self, reopen: Reopen
    ) -> None:
        appends = {f"c-{turns}": counted(*range(30)) for turns in range(8)}
        async with reopen() as store:
            for turns, (stream_id, events) in enumerate(appends.items()):
                task = asyncio.create_task(store.append(stream_id, events, expected_version=0))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait({task}, timeout=self.deadline)
        async with reopen() as store:
            for stream_id, events in appends.items():
                there = await collected(store.read(stream_id))
                assert numbers_of(there) in ([], [*range(30)])
                assert await store.stream_version(stream_id) == len(there)
                result = await store.append(stream_id, events, expected_version=0)
                assert result.version == 30

    async def test_what_was_refused_is_not_there_when_it_is_opened_again(
        self, reopen: Reopen
    ) -> None:
        async with reopen() as store:
            await store.append("a", counted(1), expected_version=0)
            appends = [
                store.append("abc"[n % 3], counted(n), expected_version=7 if n % 3 == 0 else ANY)
                for n in range(12)
            ]
            outcomes = await asyncio.gather(*appends, return_exceptions=True)
        kinds = {type(outcome) for outcome in outcomes[::3]}
        assert kinds == {ConcurrencyError}
        async with reopen() as store:
            assert numbers_of(await collected(store.read("a"))) == [1]
            assert numbers_of(await collected(store.read("b"))) == [1, 4, 7, 10]
            assert numbers_of(await collected(store.read("c"))) == [2, 5, 8, 11]

    async def test_a_follower_goes_on_when_it_is_opened_again(self, reopen: Reopen) -> None:
        async with reopen() as store:
            await store.append("a", counted(1, 2, 3), expected_version=0)
            async with asyncio.timeout(self.deadline):
                page = await anext(store.follow())
        assert page.checkpoint is not None
        left = [1, 2, 3, 4][len(page.events) :]
        seen: list[int] = []
        async with reopen() as store:
            await store.append("b", counted(4), expected_version=0)
            async with asyncio.timeout(self.deadline):
                async for following in store.follow(page.checkpoint):
                    seen += numbers_of(following.events)
                    if len(seen) >= len(left):
                        break
        assert seen == left


class ReopenedIdContract(Chapter, needs=("is_durable", Guarantee.UNIQUE_EVENT_IDS)):
    """Event ids are remembered."""

    async def test_ids_are_known_when_it_is_opened_again(self, reopen: Reopen) -> None:
        events = counted(*range(_MANY))
        async with reopen() as store:
            original = await store.append("a", events, expected_version=0)
        async with reopen() as store:
            assert await store.append("a", events, expected_version=ANY) == original
            for version in (1, 2, 100, _MANY):
                taken = events[version - 1]
                with pytest.raises(DuplicateEventError) as caught:
                    await store.append("b", [*counted(-1), taken], expected_version=ANY)
                error = caught.value
                place = (error.event_id, error.stream_id, error.version)
                assert place == (taken.event_id, "a", version)
            assert numbers_of(await collected(store.read_all())) == [*range(_MANY)]


class ReopenedImportContract(Chapter, needs=("is_durable", Guarantee.IMPORTS)):
    """Imports are resumed."""

    async def test_an_import_is_resumed_when_it_is_opened_again(self, reopen: Reopen) -> None:
        events = [at_place(f"s-{n % 7}", n // 7 + 1, number=n) for n in range(210)]
        async with reopen() as store:
            await store.import_events(events[:100])
        async with reopen() as store:
            assert await store.import_events(events) == 110
        async with reopen() as store:
            assert await store.import_events(events) == 0
            imported = await collected(store.read_all())
            assert [facts(event) for event in imported] == [facts(event) for event in events]


class ReopenedTransactionContract(Chapter, needs=("is_durable", "transactions")):
    """What was committed, and nothing else."""

    async def test_only_what_was_committed_is_there_when_it_is_opened_again(
        self, reopen: Reopen
    ) -> None:
        async with reopen() as store:
            async with store.transaction() as transaction:
                for stream_id in ("a", "b"):
                    await transaction.append(stream_id, counted(1), expected_version=0)
            with pytest.raises(ZeroDivisionError):
                await _undone(store)
        async with reopen() as store:
            found = await collected(store.read_all())
            assert [(event.stream_id, event.version) for event in found] == [("a", 1), ("b", 1)]
            assert (await store.append("a", counted(3), expected_version=1)).version == 2


class ReopenedInspectionContract(Chapter, needs=("is_durable", "inspection")):
    """Streams and statistics."""

    async def test_streams_and_statistics_are_the_same_when_it_is_opened_again(
        self, reopen: Reopen
    ) -> None:
        async with reopen() as store:
            await _fill(store)
            streams = [stream async for stream in store.streams()]
            before = await store.statistics()
        async with reopen() as store:
            assert [stream async for stream in store.streams()] == streams
            after = await store.statistics()
        for name in ("events", "streams", "last_position", "data_bytes", "event_types"):
            assert getattr(after, name) == getattr(before, name)


async def _fill(store: StorageEventStore) -> None:
    """Append events one by one and together, plain and typed, with and without metadata."""
    for version in range(12):
        payload = Opened(f"owner {version}", Decimal(version) / 10)
        metadata = {"user": f"Zoë {version}"} if version % 2 else {}
        event = Event.of(payload, metadata=metadata, event_types=EVENT_TYPES)
        await store.append("doc-1", [event], expected_version=version)
        await store.append("doc-10", counted(version), expected_version=ANY)
    await store.append("many", counted(*range(_MANY)), expected_version=0)
    await store.append(_LONGEST, counted(1), expected_version=0)


async def _everything_in(store: StorageEventStore) -> list[object]:
    """Read all there is, in every way."""
    everything = await collected(store.read_all())
    readings = [
        everything,
        await collected(store.read_all(backward=True)),
        await collected(store.read_all(event_types={Opened})),
        await collected(store.read_all(stream_prefix="doc-1")),
        await collected(store.read_all(after_position=everything[20].position)),
        await collected(store.read("doc-1")),
        await collected(store.read("many", from_version=9, backward=True)),
        await collected(store.read(_LONGEST)),
    ]
    return [
        await store.last_position(),
        *[await store.stream_version(each) for each in ("doc-1", "doc-10", "many", _LONGEST)],
        *[[(event.position, *facts(event)) for event in events] for events in readings],
    ]


async def _undone(store: StorageEventStore) -> None:
    """Append in a transaction that fails."""
    async with store.transaction() as transaction:
        await transaction.append("a", counted(2), expected_version=1)
        await transaction.append("c", counted(2), expected_version=0)
        raise ZeroDivisionError
