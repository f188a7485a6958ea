"""A batch: what the server's function makes of several appends in one statement."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, Event
from eventsourcing_core.stores import StreamHeldError, Written
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._terms import IMPATIENT
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    import asyncpg

    from eventsourcing_core.stores import Append


@pytest.mark.parametrize("size", [1, 3])
async def test_a_batch_of_new_streams_leaves_out_those_that_are_there(
    pool: asyncpg.Pool[asyncpg.Record], size: int
) -> None:
    async with asyncio.timeout(20), PostgresEventStore(pool, listen=False) as store:

        def append(stream_id: str, name: str) -> Append:
            events: list[Event[object]] = [Event(f"{name}{n}", {}) for n in range(size)]
            return store._codec.encode_append(stream_id, events, 0)

        await storage_of(store).write([append("b", "old"), append("é", "old")])
        appends = [append(stream, f"new-{n}-") for n, stream in enumerate("dbaccée")]
        verdicts = await storage_of(store).write(appends)

        versions = [
            verdict.results[0].version if isinstance(verdict, Written) else type(verdict)
            for verdict in verdicts
        ]
        lost = ConcurrencyError
        assert versions == [size, lost, size, size, lost, lost, size]
        stored = [event async for event in store.read_all()]
        assert [event.version for event in stored] == [*range(1, size + 1)] * 6
        assert {(event.stream_id, event.event_type.rstrip("012")) for event in stored} == {
            ("a", "new-2-"),
            ("b", "old"),
            ("c", "new-3-"),
            ("d", "new-0-"),
            ("e", "new-6-"),
            ("é", "old"),
        }
        last = {event.stream_id: event.position for event in stored}
        written = [verdict for verdict in verdicts if isinstance(verdict, Written)]
        assert [each.results[0].position for each in written] == [last[s] for s in "dace"]
        assert [each.count for each in written] == [size] * 4
        more = await store.append("a", [Event("More", {})], expected_version=size)
        assert more.version == size + 1


async def test_each_event_of_a_batch_gets_what_is_its_own(
    pool: asyncpg.Pool[asyncpg.Record],
) -> None:
    def event(n: int, name: str) -> Event[object]:
        metadata = {"n": n} if n == 2 else None
        return Event(name if n < 3 else "Other", {"n": n, "of": name}, metadata=metadata)

    async with asyncio.timeout(20), PostgresEventStore(pool, listen=False) as store:
        encode = store._codec.encode_append
        await store.append("b", [Event("Opened", {})], expected_version=0)
        # One lost in between, one that goes on with another of the batch, and sizes of all kinds.
        given = {
            "one": ("c", 1, 0),
            "lost": ("b", 2, 7),
            "two": ("a", 2, 0),
            "on": ("b", 4, 1),
            "more": ("a", 3, 2),
        }
        batch = {
            name: encode(stream_id, [event(n, name) for n in range(size)], expected)
            for name, (stream_id, size, expected) in given.items()
        }
        verdicts = await storage_of(store).write([*batch.values()])
        for name, append, verdict in zip(batch, batch.values(), verdicts, strict=True):
            stream_id, size, before = given[name]
            if name == "lost":
                assert isinstance(verdict, ConcurrencyError)
                continue
            stored = [each async for each in store.read(stream_id, from_version=before + 1)][:size]
            assert isinstance(verdict, Written)
            last = stored[-1]
            assert verdict == Written((AppendResult(before + size, last.position),), size)
            assert [each.raw_event_id for each in stored] == append.event_ids
            assert [each.event_type for each in stored] == [
                event(n, name).event_type for n in range(size)
            ]
            assert [each.data for each in stored] == [{"n": n, "of": name} for n in range(size)]
            assert [dict(each.metadata) for each in stored] == [
                {"n": n} if n == 2 else {} for n in range(size)
            ]
        assert len([each async for each in store.read_all()]) == 1 + 1 + 2 + 4 + 3


async def test_a_batch_of_new_streams_passes_over_one_that_is_being_made(
    pool: asyncpg.Pool[asyncpg.Record],
) -> None:
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, listen=False) as store,
        pool.acquire() as other,
        other.transaction(),
    ):
        await store.append("b", [Event("Opened", {})], expected_version=0, connection=other)
        appends = [store._codec.encode_append(stream, [Event("Opened", {})], 0) for stream in "abc"]
        storage = storage_of(store)
        writer = storage._writer
        verdicts = await storage._database.use("append", writer._batch, appends, IMPATIENT)
        assert verdicts[0] == Written((AppendResult(1, 2),), 1)
        assert isinstance(verdicts[1], StreamHeldError)
        assert verdicts[2] == Written((AppendResult(1, 3),), 1)
