"""Many tasks that append at once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.testing._appends.append import ANY, NO_STREAM, STREAM_EXISTS
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import (
    collected,
    counted,
    let_others_run,
    numbers_of,
    versions_of,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._event_store import EventStore

    Append = Coroutine[object, object, AppendResult]


async def outcomes_of(*appends: Append, deadline: float) -> list[AppendResult | BaseException]:
    """Begin appends at the same time, and give what became of each."""
    async with asyncio.timeout(deadline):
        return await asyncio.gather(*appends, return_exceptions=True)


class ConcurrencyContract(Chapter):
    """Races with one winner, neighbours that do not disturb each other."""

    async def test_one_of_many_racing_appends_wins_each_round(self, store: EventStore) -> None:
        for version in range(5):
            appends = [
                store.append("doc-1", counted(number), expected_version=version)
                for number in range(10)
            ]
            outcomes = await self._outcomes(*appends)
            winners = [outcome for outcome in outcomes if isinstance(outcome, AppendResult)]
            losers = [outcome for outcome in outcomes if isinstance(outcome, ConcurrencyError)]
            assert [winner.version for winner in winners] == [version + 1]
            assert [loser.actual for loser in losers] == [version + 1] * 9
        assert versions_of(await collected(store.read("doc-1"))) == [1, 2, 3, 4, 5]

    async def test_one_of_many_racing_appends_makes_a_stream(self, store: EventStore) -> None:
        appends = [
            store.append("doc-1", counted(number, number), expected_version=NO_STREAM)
            for number in range(10)
        ]
        outcomes = await self._outcomes(*appends)
        assert [type(outcome) for outcome in outcomes].count(ConcurrencyError) == 9
        winner = next(i for i, outcome in enumerate(outcomes) if isinstance(outcome, AppendResult))
        assert numbers_of(await collected(store.read("doc-1"))) == [winner, winner]

    async def test_appends_to_many_streams_are_all_stored(self, store: EventStore) -> None:
        async def fill(stream: int) -> None:
            for version in range(5):
                number = stream * 5 + version
                await store.append(f"doc-{stream}", counted(number), expected_version=version)

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*map(fill, range(40)))
        for stream in range(40):
            events = await collected(store.read(f"doc-{stream}"))
            assert numbers_of(events) == list(range(stream * 5, stream * 5 + 5))
            assert versions_of(events) == [1, 2, 3, 4, 5]
            positions = [event.position for event in events]
            assert positions == sorted(set(positions))
        everything = await collected(store.read_all())
        assert sorted(numbers_of(everything)) == list(range(200))
        positions = [event.position for event in everything]
        assert positions == sorted(set(positions))

    async def test_any_never_conflicts(self, store: EventStore) -> None:
        appends = [
            store.append("doc-1", counted(number, number), expected_version=ANY)
            for number in range(30)
        ]
        outcomes = await self._outcomes(*appends)
        events = await collected(store.read("doc-1"))
        assert versions_of(events) == list(range(1, 61))
        at = {(event.version, event.position): event.data["number"] for event in events}
        # Each result is the place of its own last event, which stands beside its first one.
        assert [at.get(outcome) for outcome in outcomes if isinstance(outcome, tuple)] == [
            *range(30)
        ]
        assert numbers_of(events)[::2] == numbers_of(events)[1::2]

    async def test_appends_to_a_stream_are_written_in_the_order_of_the_calls(
        self, store: EventStore
    ) -> None:
        appends = [store.append("doc-1", counted(n), expected_version=ANY) for n in range(50)]
        outcomes = await self._outcomes(*appends)
        events = await collected(store.read("doc-1"))
        assert numbers_of(events) == [*range(50)]
        assert outcomes == [AppendResult(event.version, event.position) for event in events]

    async def test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left(
        self, store: EventStore
    ) -> None:
        expected: list[int | ExpectedVersion] = [0, 0, ANY, 1, 2, STREAM_EXISTS, NO_STREAM, 4, 9]
        appends = [
            store.append("doc-1", counted(number), expected_version=version)
            for number, version in enumerate(expected)
        ]
        outcomes = await self._outcomes(*appends)
        stored = [out.version for out in outcomes if isinstance(out, AppendResult)]
        refused = [out.actual for out in outcomes if isinstance(out, ConcurrencyError)]
        assert (stored, refused) == ([1, 2, 3, 4, 5], [1, 2, 4, 5])
        assert numbers_of(await collected(store.read("doc-1"))) == [0, 2, 4, 5, 7]

    @pytest.mark.parametrize("expected", [0, NO_STREAM])
    async def test_an_append_that_repeats_an_earlier_one_of_the_burst_has_its_result(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        outcomes = await self._outcomes(
            store.append("doc-1", events, expected_version=expected),
            store.append("doc-1", counted(3), expected_version=ANY),
            store.append("doc-1", events, expected_version=expected),
            store.append("doc-1", counted(4), expected_version=3),
        )
        stored = await collected(store.read("doc-1"))
        assert numbers_of(stored) == [1, 2, 3, 4]
        at = [AppendResult(event.version, event.position) for event in stored]
        assert outcomes == [at[1], at[2], at[1], at[3]]

    async def test_a_conflict_among_good_appends_fails_alone(self, store: EventStore) -> None:
        await store.append("other", counted(-1), expected_version=0)
        conflict = store.append("other", counted(-2), expected_version=0)
        good = [store.append(f"doc-{n}", counted(n), expected_version=0) for n in range(20)]
        outcomes = await self._outcomes(*good[:10], conflict, *good[10:])
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == [AppendResult] * 10 + [ConcurrencyError] + [AppendResult] * 10
        assert sorted(numbers_of(await collected(store.read_all()))) == [-1, *range(20)]

    async def test_a_reader_that_goes_on_after_the_last_position_misses_nothing(
        self, store: EventStore
    ) -> None:
        async def write(stream: int) -> None:
            for size in (1, 3, 2, 1, 4, 1, 1, 2):
                await store.append(f"doc-{stream}", counted(*range(size)), expected_version=ANY)

        seen: list[tuple[str, int]] = []
        position, is_over = 0, False
        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            writing = [group.create_task(write(stream)) for stream in range(12)]
            turns = count()
            while not is_over:
                await let_others_run(next(turns))
                is_over = all(task.done() for task in writing)  # asked first: so this read is whole
                for event in await collected(store.read_all(after_position=position, limit=7)):
                    seen.append((event.stream_id, event.version))
                    position, is_over = event.position, False
        everything = await collected(store.read_all())
        assert seen == [(event.stream_id, event.version) for event in everything]
        assert len(seen) == 12 * 15

    async def test_a_reader_sees_all_of_an_append_or_nothing(self, store: EventStore) -> None:
        async def write() -> None:
            for _ in range(20):
                await store.append("doc-1", counted(1, 2, 3), expected_version=ANY)

        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            writing = group.create_task(write())
            turns = count()
            while not writing.done():
                await let_others_run(next(turns))
                assert len(await collected(store.read("doc-1"))) % 3 == 0
                assert len(await collected(store.read_all())) % 3 == 0

    @pytest.mark.parametrize("expected", [0, NO_STREAM])
    async def test_an_append_and_its_repetition_at_once_have_one_result(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        appends = [store.append("doc-1", events, expected_version=expected) for _ in range(5)]
        outcomes = await self._outcomes(*appends)
        *_, last = await collected(store.read("doc-1"))
        assert outcomes == [AppendResult(2, last.position)] * 5
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_a_cancelled_append_can_be_repeated(self, store: EventStore) -> None:
        for moment in range(20):
            stream_id = f"doc-{moment}"
            events = counted(1, 2, 3)
            appending = asyncio.create_task(store.append(stream_id, events, expected_version=0))
            await self._cancel_after(appending, moment)
            assert numbers_of(await collected(store.read(stream_id))) in ([], [1, 2, 3])
            async with asyncio.timeout(self.deadline):
                result = await store.append(stream_id, events, expected_version=0)
            assert result.version == 3
            assert numbers_of(await collected(store.read(stream_id))) == [1, 2, 3]

    @pytest.mark.parametrize("cancelled", [0, 2, 5])
    async def test_a_cancelled_append_does_not_harm_its_neighbours(
        self, store: EventStore, cancelled: int
    ) -> None:
        for moment in range(9):
            # After a quiet moment the first of a burst is written by its own caller.
            await store.append(f"{moment}/quiet", counted(0), expected_version=0)
            streams = [f"{moment}-{number}" for number in range(6)]
            appends = [store.append(stream, counted(0), expected_version=0) for stream in streams]
            # One more, to the stream of the append that is cancelled.
            appends.append(store.append(streams[cancelled], counted(7), expected_version=ANY))
            tasks = [asyncio.create_task(append) for append in appends]
            await self._cancel_after(tasks[cancelled], moment)
            del tasks[cancelled]
            async with asyncio.timeout(self.deadline):
                results = await asyncio.gather(*tasks)
            assert [result.version for result in results[:5]] == [1] * 5
            stored = await collected(store.read_all(stream_prefix=f"{moment}-"))
            others = [event for event in stored if event.stream_id != streams[cancelled]]
            assert len(others) == 5
            same_stream = await collected(store.read(streams[cancelled]))
            assert numbers_of(same_stream) in ([7], [0, 7])
            assert results[5].version == len(same_stream)

    async def _outcomes(self, *appends: Append) -> list[AppendResult | BaseException]:
        return await outcomes_of(*appends, deadline=self.deadline)

    async def _cancel_after(self, task: asyncio.Task[AppendResult], moment: int) -> None:
        """Cancel at another moment each time: after some turns of the loop, then after a while."""
        if moment < 6:
            for _ in range(moment):
                await asyncio.sleep(0)
        else:
            await asyncio.wait({task}, timeout=(moment - 5) / 4000)
        task.cancel()
        await asyncio.wait({task}, timeout=self.deadline)
        assert task.done()
