"""A store that is open twice at the same time, as in two processes: two handles, one truth."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import pytest

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY, NO_STREAM
from eventsourcing_core.testing._appends.concurrency import outcomes_of
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import at_place, facts
from eventsourcing_core.testing._samples import collected, counted, let_others_run, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core.testing._contract import Reopen


class SharedContract(Chapter, needs=("is_shared",)):
    """Versions, positions and waits of two handles."""

    notice: ClassVar[float] = 5.0
    """Seconds within which a reader that waits notices what another handle has written."""

    async def test_each_handle_sees_what_the_other_appends(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            for number in range(12):
                writer, reader = (one, other) if number % 2 else (other, one)
                written = await writer.append("doc-1", counted(number), expected_version=number)
                for store in (reader, writer):
                    assert await store.stream_version("doc-1") == number + 1
                    assert await store.last_position() == written.position
                    assert await store.wait(after_position=written.position - 1, timeout=0)
                    for events in (store.read("doc-1"), store.read_all()):
                        assert numbers_of(await collected(events)) == [*range(number + 1)]

    async def test_a_version_is_that_of_both_handles(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            await one.append("doc-1", counted(1), expected_version=0)
            await other.append("doc-1", counted(2), expected_version=1)
            for store, wrong in ((one, 1), (other, 1), (one, NO_STREAM)):
                with pytest.raises(ConcurrencyError) as caught:
                    await store.append("doc-1", counted(-1), expected_version=wrong)
                assert caught.value.actual == 2
            assert (await one.append("doc-1", counted(3), expected_version=ANY)).version == 3
            assert (await other.append("doc-1", counted(4), expected_version=3)).version == 4
            assert numbers_of(await collected(one.read("doc-1"))) == [1, 2, 3, 4]

    async def test_one_of_two_handles_gets_a_version(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            for version in range(10):
                appends = [
                    store.append("doc-1", counted(version), expected_version=version)
                    for store in (one, other, one, other)
                ]
                outcomes = await outcomes_of(*appends, deadline=self.deadline)
                kinds = sorted(type(outcome).__name__ for outcome in outcomes)
                assert kinds == ["AppendResult", *["ConcurrencyError"] * 3]
            assert numbers_of(await collected(one.read("doc-1"))) == [*range(10)]

    async def test_positions_of_two_handles_are_different_and_grow(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            results: list[AppendResult] = []
            for _ in range(5):
                appends = [
                    store.append(stream_id, counted(n), expected_version=ANY)
                    for n in range(6)
                    for store, stream_id in ((one, f"a-{n}"), (other, f"b-{n}"))
                ]
                async with asyncio.timeout(self.deadline):
                    together = await asyncio.gather(*appends)
                last = max((result.position for result in results), default=0)
                assert last < min(result.position for result in together)
                results += together
            positions = sorted(result.position for result in results)
            assert len(set(positions)) == 60
            for store in (one, other):
                stored = await collected(store.read_all())
                assert [event.position for event in stored] == positions

    async def test_who_waits_notices_what_another_handle_appends(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            position = (await one.append("a", counted(0), expected_version=0)).position
            for number in range(1, 4):
                far = 10 * self.deadline  # so that it is not its own timeout that wakes it
                waiting = asyncio.create_task(one.wait(after_position=position, timeout=far))
                await _let_begin()
                result = await other.append("b", counted(number), expected_version=ANY)
                position = result.position
                async with asyncio.timeout(self.notice):
                    assert await waiting

    async def test_followers_miss_nothing_of_what_two_handles_append(self, reopen: Reopen) -> None:
        async def follow(store: StorageEventStore, seen: list[tuple[str, int]]) -> None:
            async for page in store.follow():
                seen += [(event.stream_id, event.version) for event in page.events]

        async with reopen() as one, reopen() as other, reopen() as third:
            noted: list[list[tuple[str, int]]] = [[], []]
            async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
                followers = [
                    group.create_task(follow(store, seen))
                    for store, seen in zip((one, third), noted, strict=True)
                ]
                turns = count()
                for first in range(0, 40, 10):
                    appends = [
                        store.append(stream_id, counted(number), expected_version=ANY)
                        for number in range(first, first + 10)
                        for store, stream_id in ((one, "a"), (other, "b"), (other, "c"))
                    ]
                    await asyncio.gather(*appends)
                    # Then they have seen all there is, and sleep.
                    while any(len(seen) < 3 * first + 30 for seen in noted):
                        await let_others_run(next(turns))
                for following in followers:
                    following.cancel()
            stored = [(e.stream_id, e.version) for e in await collected(one.read_all())]
            assert noted == [stored, stored]

    async def test_closing_one_handle_leaves_the_other_usable(self, reopen: Reopen) -> None:
        async with reopen() as one:
            await one.append("a", counted(1), expected_version=0)
            reading = one.read_all()
            assert numbers_of([await anext(reading)]) == [1]
            async with reopen() as other:
                result = await other.append("a", counted(2), expected_version=1)
                far = 10 * self.deadline
                waiting = asyncio.create_task(one.wait(after_position=result.position, timeout=far))
                await _let_begin()
            await one.append("a", counted(3), expected_version=2)
            async with asyncio.timeout(self.deadline):
                assert await waiting
            left = numbers_of(await collected(reading))
            assert left == [2, 3][: len(left)]  # what came meanwhile need not come
            assert numbers_of(await collected(one.read("a"))) == [1, 2, 3]


class SharedIdContract(Chapter, needs=("is_shared", Guarantee.UNIQUE_EVENT_IDS)):
    """An id occurs once, whichever handle writes it."""

    async def test_an_id_of_the_other_handle_is_known(self, reopen: Reopen) -> None:
        async with reopen() as one, reopen() as other:
            await one.append("a", counted(0), expected_version=0)
            events = counted(1, 2)
            with pytest.raises(ConcurrencyError):  # so these ids were looked for, in vain
                await one.append("a", events, expected_version=7)
            written = await other.append("a", events, expected_version=ANY)
            assert await one.append("a", events, expected_version=ANY) == written
            for store in (one, other):
                with pytest.raises(DuplicateEventError):
                    await store.append("b", events[1:], expected_version=ANY)
            assert numbers_of(await collected(one.read_all())) == [0, 1, 2]

    async def test_a_repetition_through_the_other_handle_at_once_has_one_result(
        self, reopen: Reopen
    ) -> None:
        async with reopen() as one, reopen() as other:
            for number in range(5):
                events = counted(number)
                appends = [s.append("a", events, expected_version=ANY) for s in (one, other)]
                first, second = await outcomes_of(*appends, deadline=self.deadline)
                assert isinstance(first, AppendResult)
                assert first == second
            assert numbers_of(await collected(other.read_all())) == [*range(5)]


class SharedImportContract(Chapter, needs=("is_shared", Guarantee.IMPORTS)):
    """The same import through two handles."""

    async def test_the_same_import_through_two_handles_writes_each_event_once(
        self, reopen: Reopen
    ) -> None:
        events = [at_place(f"s-{n % 3}", n // 3 + 1, number=n) for n in range(60)]
        async with reopen() as one, reopen() as other:
            assert await one.import_events(events[:20]) == 20
            assert await other.import_events(events[:40]) == 20
            async with asyncio.timeout(self.deadline):
                counts = await asyncio.gather(
                    one.import_events(events), other.import_events(events)
                )
            assert sorted(counts) == [0, 20]
            imported = await collected(one.read_all())
            assert [facts(event) for event in imported] == [facts(event) for event in events]


class SharedTransactionContract(Chapter, needs=("is_shared", "transactions")):
    """What is not committed is not seen."""

    async def test_the_other_handle_sees_a_transaction_when_it_is_committed(
        self, reopen: Reopen
    ) -> None:
        async with reopen() as one, reopen() as other:
            last = await one.append("a", counted(1), expected_version=0)
            far = 10 * self.deadline
            waiting = asyncio.create_task(other.wait(after_position=last.position, timeout=far))
            async with one.transaction() as transaction:
                await transaction.append("a", counted(2), expected_version=1)
                await transaction.append("b", counted(3), expected_version=0)
                assert numbers_of(await collected(other.read("a"))) == [1]
                assert numbers_of(await collected(other.read_all())) == [1]
                assert await other.stream_version("b") == 0
            async with asyncio.timeout(self.deadline):
                assert await waiting
            assert numbers_of(await collected(other.read_all())) == [1, 2, 3]


async def _let_begin() -> None:
    """Give a task turns to begin; if it begins later, it finds the event, which is right too."""
    for _ in range(20):
        await asyncio.sleep(0)
