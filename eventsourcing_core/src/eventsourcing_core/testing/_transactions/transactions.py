"""Transactions: what is written in one is stored when its block is left, or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.testing._appends.append import ANY, NO_STREAM
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of, versions_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore

STREAMS = ("b", "a", "c")
_AT_ONCE = 30
"""More transactions than a pool has connections."""


class LeftWithAnError(Exception):
    """Raised in the block of a transaction, to see it rolled back."""


class TransactionContract(Chapter, needs=("transactions",)):
    """Commit and rollback, and what others see meanwhile."""

    async def test_a_transaction_stores_events_in_several_streams(
        self, store: StorageEventStore
    ) -> None:
        await store.append("a", counted(0), expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("b", counted(1, 2), expected_version=0)
            await transaction.append("a", counted(3), expected_version=1)
            await transaction.append("b", counted(4), expected_version=2)
        assert numbers_of(await collected(store.read("a"))) == [0, 3]
        assert numbers_of(await collected(store.read("b"))) == [1, 2, 4]
        assert numbers_of(await collected(store.read_all())) == [0, 1, 2, 3, 4]

    async def test_appends_of_a_transaction_have_the_places_of_their_events(
        self, store: StorageEventStore
    ) -> None:
        async with store.transaction() as transaction:
            results = [
                await transaction.append(stream_id, counted(1, 2), expected_version=ANY)
                for stream_id in (*STREAMS, *STREAMS)
            ]
        stored = await collected(store.read_all())
        assert results == [AppendResult(event.version, event.position) for event in stored[1::2]]

    async def test_a_transaction_reads_what_it_wrote(self, store: StorageEventStore) -> None:
        await store.append("a", counted(1), expected_version=0)
        async with store.transaction() as transaction:
            assert numbers_of(await collected(transaction.read("a"))) == [1]
            await transaction.append("a", counted(2, 3), expected_version=1)
            await transaction.append("b", counted(4), expected_version=0)
            assert numbers_of(await collected(transaction.read("a"))) == [1, 2, 3]
            assert numbers_of(await collected(transaction.read("b"))) == [4]
            backward = transaction.read("a", from_version=2, backward=True, limit=1)
            assert versions_of(await collected(backward)) == [3]
            paged = [event async for page in transaction.read_pages("a") for event in page]
            assert versions_of(paged) == [1, 2, 3]
            assert await transaction.stream_version("a") == 3
            assert await transaction.stream_version("unknown") == 0

    async def test_nobody_else_sees_a_transaction_before_its_commit(
        self, store: StorageEventStore
    ) -> None:
        before = await store.append("a", counted(1), expected_version=0)

        async def look() -> list[object]:
            return [
                numbers_of(await collected(store.read("a"))),
                numbers_of(await collected(store.read_all())),
                await store.stream_version("b"),
                await store.last_position(),
            ]

        async with store.transaction() as transaction:
            await transaction.append("a", counted(2), expected_version=1)
            await transaction.append("b", counted(3), expected_version=0)
            async with asyncio.timeout(self.deadline):
                # In another task: this one has a transaction open, and must use it.
                assert await asyncio.create_task(look()) == [[1], [1], 0, before.position]
        assert (await look())[:3] == [[1, 2], [1, 2, 3], 1]

    async def test_an_error_in_the_block_undoes_a_transaction(
        self, store: StorageEventStore
    ) -> None:
        await store.append("a", counted(1), expected_version=0)

        async def fail() -> None:
            async with store.transaction() as transaction:
                await transaction.append("a", counted(2), expected_version=1)
                await transaction.append("b", counted(3), expected_version=0)
                raise LeftWithAnError

        with pytest.raises(LeftWithAnError):
            await fail()
        assert numbers_of(await collected(store.read_all())) == [1]
        assert (await store.append("a", counted(2), expected_version=1)).version == 2
        assert (await store.append("b", counted(3), expected_version=0)).version == 1

    async def test_a_transaction_whose_block_is_cancelled_is_undone(
        self, store: StorageEventStore
    ) -> None:
        for turns in range(6):
            written = asyncio.Event()

            async def write(written: asyncio.Event = written) -> None:
                async with store.transaction() as transaction:
                    await transaction.append("a", counted(1), expected_version=0)
                    await transaction.append("b", counted(2), expected_version=0)
                    written.set()
                    await asyncio.Event().wait()

            writing = asyncio.create_task(write())
            if turns == 5:
                async with asyncio.timeout(self.deadline):
                    await written.wait()
            for _ in range(turns):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait({writing}, timeout=self.deadline)
            assert writing.cancelled()
            assert await collected(store.read_all()) == []
        async with asyncio.timeout(self.deadline):
            assert (await store.append("a", counted(1), expected_version=0)).version == 1

    @pytest.mark.parametrize("expected", [0, 2, NO_STREAM])
    async def test_a_conflict_leaves_a_transaction_usable(
        self, store: StorageEventStore, expected: int
    ) -> None:
        await store.append("a", counted(1), expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("b", counted(2), expected_version=0)
            with pytest.raises(ConcurrencyError) as caught:
                await transaction.append("a", counted(3), expected_version=expected)
            assert (caught.value.expected, caught.value.actual) == (expected, 1)
            assert await transaction.stream_version("b") == 1
            await transaction.append("a", counted(4), expected_version=1)
        assert numbers_of(await collected(store.read_all())) == [1, 2, 4]

    async def test_a_transaction_is_judged_by_what_it_wrote(self, store: StorageEventStore) -> None:
        events = counted(1, 2)
        async with store.transaction() as transaction:
            result = await transaction.append("a", events, expected_version=0)
            with pytest.raises(ConcurrencyError):
                await transaction.append("a", counted(3), expected_version=0)
            assert await transaction.append("a", events, expected_version=0) == result
            await transaction.append("a", counted(4), expected_version=2)
        assert numbers_of(await collected(store.read("a"))) == [1, 2, 4]

    async def test_a_commit_wakes_readers_that_wait(self, store: StorageEventStore) -> None:
        far = 10 * self.deadline  # so that it is not their own timeout that wakes them
        waiting = [asyncio.create_task(store.wait(after_position=0, timeout=far)) for _ in range(5)]
        async with asyncio.timeout(self.deadline):
            async with store.transaction() as transaction:
                await transaction.append("a", counted(1), expected_version=0)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert not any(task.done() for task in waiting)
            assert await asyncio.gather(*waiting) == [True] * 5

    async def test_followers_get_what_a_transaction_stores(self, store: StorageEventStore) -> None:
        async def follow() -> list[int]:
            seen: list[int] = []
            async for page in store.follow():
                seen += numbers_of(page.events)
                if len(seen) == 3:
                    break
            return seen

        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            following = group.create_task(follow())
            async with store.transaction() as transaction:
                await transaction.append("a", counted(1, 2), expected_version=0)
                await transaction.append("b", counted(3), expected_version=0)
        assert following.result() == [1, 2, 3]

    @pytest.mark.parametrize("stream_id", ["a", "other"])
    async def test_an_append_beside_a_transaction_is_written_once_it_has_ended(
        self, store: StorageEventStore, stream_id: str
    ) -> None:
        async with asyncio.timeout(self.deadline):
            async with store.transaction() as transaction:
                await transaction.append("a", counted(1), expected_version=0)
                append = store.append(stream_id, counted(2), expected_version=ANY)
                appending = asyncio.create_task(append)
                for _ in range(20):
                    await asyncio.sleep(0)
                await transaction.append("b", counted(3), expected_version=0)
            result = await appending
        assert result.version == (2 if stream_id == "a" else 1)
        stored = await collected(store.read_all())
        assert sorted(numbers_of(stored)) == [1, 2, 3]
        assert versions_of(await collected(store.read("a"))) in ([1], [1, 2])

    async def test_many_transactions_at_once_are_all_stored(self, store: StorageEventStore) -> None:
        async def write(number: int) -> None:
            async with store.transaction() as transaction:
                version = await transaction.stream_version(f"own-{number}")
                own = counted(number, number)
                await transaction.append(f"own-{number}", own, expected_version=version)
                await transaction.append("shared", counted(number), expected_version=ANY)

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*map(write, range(_AT_ONCE)))
        shared = await collected(store.read("shared"))
        assert sorted(numbers_of(shared)) == [*range(_AT_ONCE)]
        assert versions_of(shared) == [*range(1, _AT_ONCE + 1)]
        assert len(await collected(store.read_all(stream_prefix="own-"))) == 2 * _AT_ONCE

    async def test_a_transaction_that_writes_nothing_changes_nothing(
        self, store: StorageEventStore
    ) -> None:
        await store.append("a", counted(1), expected_version=0)
        async with store.transaction() as transaction:
            assert await transaction.stream_version("a") == 1
        async with store.transaction():
            pass
        assert numbers_of(await collected(store.read_all())) == [1]
        assert (await store.append("a", counted(2), expected_version=1)).version == 2
