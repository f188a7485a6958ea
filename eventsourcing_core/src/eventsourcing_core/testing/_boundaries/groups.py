"""Groups: appends to several streams, all or nothing, and streams that must not move."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core.stores._boundaries.words import StreamAt, ToStream
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import (
    collected,
    counted,
    let_others_run,
    numbers_of,
    versions_of,
)

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore

_STREAMS = ("a", "b", "c", "d")
_ROUNDS = 10


def to(stream_id: str, *numbers: int, expected: int | None = None) -> ToStream:
    """Give counted events of a stream in a group."""
    wanted = ANY if expected is None else expected
    return ToStream(stream_id, counted(*numbers), expected_version=wanted)


class GroupContract(Chapter, needs=(Guarantee.GROUPS,)):
    """What stands, and what does not, after a group."""

    async def test_a_group_is_written_to_all_its_streams(self, store: StorageEventStore) -> None:
        await store.append("a", counted(0), expected_version=0)
        await store.append_together([to("b", 1, 2, expected=0), to("a", 3, expected=1), to("c", 4)])
        assert numbers_of(await collected(store.read("a"))) == [0, 3]
        assert numbers_of(await collected(store.read("b"))) == [1, 2]
        assert numbers_of(await collected(store.read("c"))) == [4]

    async def test_the_results_of_a_group_are_in_the_order_given(
        self, store: StorageEventStore
    ) -> None:
        results = await store.append_together([to("c", 1, 2), to("a", 3), to("b", 4)])
        found = [(await collected(store.read(stream_id)))[-1] for stream_id in ("c", "a", "b")]
        assert [*results] == [AppendResult(event.version, event.position) for event in found]

    @pytest.mark.parametrize("guilty", ["a", "b", "c"])
    async def test_a_conflict_in_one_stream_refuses_all_of_a_group(
        self, store: StorageEventStore, guilty: str
    ) -> None:
        await store.append(guilty, counted(0), expected_version=0)
        writes = [to(stream_id, 1, expected=0) for stream_id in ("b", "c", "a")]
        with pytest.raises(ConcurrencyError) as caught:
            await store.append_together(writes)
        assert (caught.value.stream_id, caught.value.actual) == (guilty, 1)
        assert numbers_of(await collected(store.read_all())) == [0]

    async def test_an_id_that_is_taken_refuses_all_of_a_group(
        self, store: StorageEventStore
    ) -> None:
        (taken,) = counted(0)
        await store.append("a", [taken], expected_version=0)
        group = [to("b", 1), ToStream("c", [*counted(2), taken], expected_version=ANY)]
        with pytest.raises(DuplicateEventError):
            await store.append_together(group)
        assert numbers_of(await collected(store.read_all())) == [0]

    async def test_a_group_passes_where_required_streams_stand(
        self, store: StorageEventStore
    ) -> None:
        await store.append("limit", counted(0, 1), expected_version=0)
        requires = [StreamAt("unknown", 0), StreamAt("limit", 2)]
        await store.append_together([to("a", 2)], requires=requires)
        assert numbers_of(await collected(store.read_all())) == [0, 1, 2]
        assert await store.stream_version("unknown") == 0

    @pytest.mark.parametrize("version", [0, 1, 3])
    async def test_a_required_stream_that_has_moved_refuses_a_group(
        self, store: StorageEventStore, version: int
    ) -> None:
        await store.append("limit", counted(0, 1), expected_version=0)
        with pytest.raises(ConcurrencyError) as caught:
            await store.append_together([to("a", 2)], requires=[StreamAt("limit", version)])
        assert (caught.value.stream_id, caught.value.actual) == ("limit", 2)
        with pytest.raises(ConcurrencyError):
            await store.append_together([to("a", 2), to("b", 3)], requires=[StreamAt("no", 1)])
        assert numbers_of(await collected(store.read_all())) == [0, 1]

    async def test_a_required_stream_can_be_made_and_written_afterwards(
        self, store: StorageEventStore
    ) -> None:
        await store.append_together([to("a", 1)], requires=[StreamAt("b", 0)])
        await store.append("b", counted(2), expected_version=0)
        await store.append_together([to("a", 3)], requires=[StreamAt("b", 1)])
        assert versions_of(await collected(store.read("b"))) == [1]

    async def test_a_group_that_is_repeated_gives_its_first_results(
        self, store: StorageEventStore
    ) -> None:
        await store.append("limit", counted(0), expected_version=0)
        group = [to("b", 1, 2, expected=0), to("a", 3)]
        requires = [StreamAt("limit", 1)]
        first = await store.append_together(group, requires=requires)
        assert await store.append_together(group, requires=requires) == first
        # What it required has moved since, and so have its streams.
        await store.append_together([to("limit", 4), to("a", 5), to("b", 6)])
        assert await store.append_together(group, requires=requires) == first
        assert numbers_of(await collected(store.read_all())).count(3) == 1

    async def test_a_group_of_which_a_part_stands_is_refused(
        self, store: StorageEventStore
    ) -> None:
        old, new = to("a", 1, expected=0), to("b", 2, expected=0)
        await store.append_together([old])
        with pytest.raises((ConcurrencyError, DuplicateEventError)):
            await store.append_together([old, new])
        assert numbers_of(await collected(store.read_all())) == [1]

    async def test_groups_that_overlap_are_all_written(self, store: StorageEventStore) -> None:
        async def keep_on(number: int) -> None:
            for turn in range(_ROUNDS):
                first, second = _STREAMS[(number + turn) % 4], _STREAMS[(number * 3 + turn + 1) % 4]
                pair = dict.fromkeys((first, second) if number % 2 else (second, first))
                await store.append_together([to(stream_id, number) for stream_id in pair])

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*map(keep_on, range(8)))
        for stream_id in _STREAMS:
            events = await collected(store.read(stream_id))
            assert versions_of(events) == list(range(1, len(events) + 1))
        everything = await collected(store.read_all())
        positions = [event.position for event in everything]
        assert positions == sorted(set(positions))

    async def test_of_racing_groups_on_one_stream_one_wins(self, store: StorageEventStore) -> None:
        racing = [
            store.append_together([to("shared", number, expected=0), to(f"own-{number}", number)])
            for number in range(8)
        ]
        async with asyncio.timeout(self.deadline):
            outcomes = await asyncio.gather(*racing, return_exceptions=True)
        assert [isinstance(each, ConcurrencyError) for each in outcomes].count(True) == 7
        assert len(await collected(store.read_all())) == 2

    async def test_of_groups_that_require_each_others_streams_one_wins(
        self, store: StorageEventStore
    ) -> None:
        for turn in range(_ROUNDS):
            left, right = f"left-{turn}", f"right-{turn}"
            async with asyncio.timeout(self.deadline):
                outcomes = await asyncio.gather(
                    store.append_together([to(left, 1)], requires=[StreamAt(right, 0)]),
                    store.append_together([to(right, 2)], requires=[StreamAt(left, 0)]),
                    return_exceptions=True,
                )
            assert sum(isinstance(each, ConcurrencyError) for each in outcomes) == 1

    async def test_no_reader_sees_half_a_group(self, store: StorageEventStore) -> None:
        async def write() -> None:
            for number in range(_ROUNDS):
                await store.append_together([to(each, number) for each in ("b", "a", "c")])

        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(write())
            turn = 0
            while not writer.done():
                numbers = numbers_of(await collected(store.read_all()))
                assert all(numbers.count(number) == 3 for number in numbers)
                await let_others_run(turn)
                turn += 1
        assert len(await collected(store.read_all())) == 3 * _ROUNDS


class GroupTransactionContract(Chapter, needs=(Guarantee.GROUPS, "transactions")):
    """Groups in a transaction."""

    async def test_a_group_in_a_transaction_is_stored_with_it(
        self, store: StorageEventStore
    ) -> None:
        await store.append("limit", counted(0), expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1), expected_version=0)
            results = await transaction.append_together(
                [to("b", 2, expected=0), to("a", 3, expected=1)], requires=[StreamAt("limit", 1)]
            )
            assert [result.version for result in results] == [1, 2]
        assert numbers_of(await collected(store.read("a"))) == [1, 3]
        assert numbers_of(await collected(store.read("b"))) == [2]

    async def test_a_group_that_is_refused_leaves_a_transaction_usable(
        self, store: StorageEventStore
    ) -> None:
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1), expected_version=0)
            with pytest.raises(ConcurrencyError):
                await transaction.append_together([to("b", 2), to("a", 3, expected=0)])
            with pytest.raises(ConcurrencyError):
                await transaction.append_together([to("b", 2)], requires=[StreamAt("a", 0)])
            await transaction.append_together([to("b", 4)], requires=[StreamAt("a", 1)])
        assert numbers_of(await collected(store.read_all())) == [1, 4]
