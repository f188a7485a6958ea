"""Imports beside everything else that a store does."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.stores._append import Written
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import (
    INTERLEAVED,
    at_place,
    facts,
    recorded,
)
from eventsourcing_core.testing._samples import (
    collected,
    counted,
    let_others_run,
    versions_of,
)
from eventsourcing_core.testing._storage.samples import append_to, encoded, pages_of, storage_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from eventsourcing_core.stores._append import Append
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.stores._storage import Parts


class ImportNeighbourContract(Chapter, needs=(Guarantee.IMPORTS,)):
    """Appends, readers and other imports; cancelling."""

    async def test_imported_events_are_like_any_other_to_appends(self, store: EventStore) -> None:
        events = recorded("a-1", "a-2", "b-1")
        await store.import_events(events)
        with pytest.raises(ConcurrencyError):
            await store.append("a", counted(9), expected_version=1)
        last = (await collected(store.read("a")))[-1].position
        repeated = await store.append("a", events[:2], expected_version=0)
        assert repeated == AppendResult(2, last)
        assert (await store.append("a", counted(3), expected_version=2)).version == 3

    async def test_imports_and_appends_of_one_batch_are_judged_in_order(self, parts: Parts) -> None:
        def importing(*places: str) -> Append:
            append = EventCodec().encode_import(recorded(*places))
            assert append is not None
            return append

        storage = storage_of(parts)
        verdicts = await storage.write(
            [
                append_to("a", encoded(1), expected=0),
                importing("b-1", "c-1", "b-2"),
                append_to("b", encoded(2), expected=2),
                importing("c-2", "b-3"),
                importing("c-1", "c-2"),
                append_to("c", encoded(3), expected=1),
            ]
        )
        kinds = [type(verdict) for verdict in verdicts]
        assert kinds == [Written, Written, Written, ConcurrencyError, Written, ConcurrencyError]
        counts = [verdict.count for verdict in verdicts if isinstance(verdict, Written)]
        assert counts == [1, 3, 1, 1]
        listed = [row for page in await pages_of(storage) for row in page.rows]
        assert [f"{row.stream_id}-{row.version}" for row in listed] == [
            *("a-1", "b-1", "c-1", "b-2", "b-3", "c-2")
        ]

    async def test_an_import_wakes_readers_that_wait(self, store: EventStore) -> None:
        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            far = 2 * self.deadline  # so that it is not its own timeout that wakes it
            waiting = group.create_task(store.wait(after_position=0, timeout=far))
            await asyncio.sleep(0)
            await store.import_events(recorded("a-1"))
        assert waiting.result()

    async def test_the_same_import_several_times_at_once_writes_each_event_once(
        self, store: EventStore
    ) -> None:
        events = recorded(*INTERLEAVED)
        target = store
        async with asyncio.timeout(self.deadline):
            counts = await asyncio.gather(
                *(target.import_events(events[: 3 + n]) for n in range(3)),
                *(target.import_events(events) for _ in range(3)),
            )
        assert sum(counts) == len(events)
        imported = await collected(store.read_all())
        assert sorted(map(facts, imported), key=repr) == sorted(map(facts, events), key=repr)

    @pytest.mark.parametrize("before", [0, 3])
    async def test_an_import_and_appends_at_once_do_each_other_no_harm(
        self, store: EventStore, before: int
    ) -> None:
        events = recorded(*(f"{stream_id}-{n}" for n in range(1, 6) for stream_id in "abcd"))
        tasks: list[Coroutine[object, object, object]] = [
            store.append("b", counted(n), expected_version=ANY) for n in range(10)
        ]
        tasks.insert(before, store.import_events(events))
        async with asyncio.timeout(self.deadline):
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        imported = outcomes.pop(before)
        assert {type(outcome) for outcome in outcomes} == {AppendResult}
        refused = isinstance(imported, ConcurrencyError)
        assert refused or imported == len(events)
        everything = await collected(store.read_all())
        ids = {event.event_id for event in events}
        kept = [facts(event) for event in everything if event.event_id in ids]
        assert kept == ([] if refused else [facts(event) for event in events])
        assert len(everything) == len(kept) + 10
        versions = versions_of(await collected(store.read("b")))
        assert versions == [*range(1, len(versions) + 1)]

    async def test_a_reader_sees_all_of_an_import_or_nothing(self, store: EventStore) -> None:
        async def write() -> None:
            for first in range(1, 400, 40):
                versions = range(first, first + 40)
                await store.import_events(recorded(*(f"{s}-{n}" for n in versions for s in "abc")))

        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            writing = group.create_task(write())
            turns = count()
            while not writing.done():
                await let_others_run(next(turns))
                assert len(await collected(store.read_all())) % 120 == 0

    async def test_a_cancelled_import_is_whole_or_nothing_and_can_be_repeated(
        self, store: EventStore
    ) -> None:
        for moment in range(12):
            prefix = f"{moment}/"
            events = [at_place(f"{prefix}{n % 2}", n // 2 + 1, number=n) for n in range(40)]
            task = asyncio.create_task(store.import_events(events))
            if moment < 6:
                for _ in range(moment):
                    await asyncio.sleep(0)
            else:
                await asyncio.wait({task}, timeout=(moment - 5) / 2000)
            task.cancel()
            await asyncio.wait({task}, timeout=self.deadline)
            there = len(await collected(store.read_all(stream_prefix=prefix)))
            assert there in {0, 40}
            async with asyncio.timeout(self.deadline):
                written = await store.import_events(events)
            assert written in {0, 40 - there}  # 0: it was still being committed when it was read
            assert len(await collected(store.read_all(stream_prefix=prefix))) == 40
