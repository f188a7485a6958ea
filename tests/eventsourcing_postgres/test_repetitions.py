"""Event ids that come again: what each append gets, and that its neighbours share their commit."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from eventsourcing_core import (
    AppendResult,
    DuplicateEventError,
    Event,
    ExpectedVersion,
)
from eventsourcing_core.stores import StreamHeldError, Written
from eventsourcing_inmemory import InMemoryEventStore
from eventsourcing_postgres import PostgresEventStore, _batches, _standing, _writer
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append

    Pool = asyncpg.Pool[asyncpg.Record]

ANY = ExpectedVersion.ANY


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with asyncio.timeout(60), PostgresEventStore(pool, listen=False) as opened:
        yield opened


def events_of(count: int) -> list[Event[object]]:
    return [Event("Noted", {"number": number}) for number in range(count)]


def append_of(store: Any, stream_id: str, events: Sequence[Event[Any]], expected: Any) -> Append:
    append: Append = store._codec.encode_append(stream_id, events, expected)
    return append


async def test_a_repetition_leaves_its_neighbours_in_one_commit(
    pool: Pool, store: PostgresEventStore
) -> None:
    repeated = events_of(1)
    first = await store.append("told", repeated, expected_version=ANY)
    batch = [append_of(store, f"s-{number}", events_of(1), ANY) for number in range(50)]
    batch.insert(25, append_of(store, "told", repeated, ANY))

    verdicts = await storage_of(store).write(batch)

    assert verdicts[25] == Written((first,), 0)
    assert [verdict.count for verdict in verdicts] == [1] * 25 + [0] + [1] * 25
    written = "select distinct xmin::text from eventsourcing.events where stream_id <> 'told'"
    assert len(await pool.fetch(written)) == 1


async def test_a_repetition_beside_a_held_stream_leaves_its_neighbours_in_one_commit(
    pool: Pool, store: PostgresEventStore
) -> None:
    repeated = events_of(1)
    await store.append("told", repeated, expected_version=ANY)
    async with pool.acquire() as other, other.transaction():
        await store.append("held", events_of(1), expected_version=0, connection=other)
        for name in "ab":  # the first one meets both, the second one asks before
            batch = [append_of(store, f"{name}-{number}", events_of(1), ANY) for number in range(9)]
            batch.append(append_of(store, "told", repeated, ANY))
            batch.append(append_of(store, "held", events_of(1), ANY))

            *written, told, held = await storage_of(store).write(batch)

            assert [verdict.count for verdict in [*written, told]] == [1] * 9 + [0]
            assert isinstance(held, StreamHeldError)
            commits = "select distinct xmin::text from eventsourcing.events where stream_id ~ $1"
            assert len(await pool.fetch(commits, f"^{name}-")) == 1


async def test_nothing_overtakes_what_was_held_when_its_stream_is_free_again(
    pool: Pool, store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, last, told = events_of(2), events_of(1), events_of(1)
    await store.append("told", told, expected_version=ANY)
    batch = [
        append_of(store, "held", both, ANY),
        append_of(store, "held", both[1:], ANY),  # waits for the one before
        append_of(store, "held", last, ANY),
        append_of(store, "told", told, ANY),
        append_of(store, "free", events_of(1), ANY),
    ]
    async with pool.acquire() as other:
        holding = other.transaction()
        await holding.start()
        await store.append("held", events_of(1), expected_version=0, connection=other)
        looks = count(1)

        async def look_up(*args: Any) -> Any:
            if next(looks) == 2:  # there was a round without this stream
                await holding.commit()
            return await _standing.look_up(*args)

        monkeypatch.setattr(_batches, "look_up", look_up)
        verdicts = await storage_of(store).write(batch)
        assert [type(verdict) for verdict in verdicts] == [StreamHeldError] * 3 + [Written] * 2
        if next(looks) == 2:
            await holding.commit()

    again = await storage_of(store).write(batch)
    assert [verdict.count for verdict in again] == [2, 0, 1, 0, 0]


async def test_after_a_repetition_the_store_is_asked_before_it_is_written_to(
    store: PostgresEventStore,
) -> None:
    """A statement that ends has drawn positions, which stay without an event."""
    repeated = events_of(1)
    await store.append("told", repeated, expected_version=ANY)

    async def positions_of_batch(name: str) -> list[int]:
        batch = [append_of(store, f"{name}-{number}", events_of(1), ANY) for number in range(5)]
        batch.append(append_of(store, "z-told", events_of(1), ANY))
        verdicts = await storage_of(store).write([*batch, append_of(store, "told", repeated, ANY)])
        return sorted(verdict.results[0].position for verdict in verdicts[:-1])

    first, second, third = [await positions_of_batch(name) for name in ("a", "b", "c")]
    assert first[0] > 2
    assert second == [*range(first[-1] + 1, first[-1] + 7)]
    assert third == [*range(second[-1] + 1, second[-1] + 7)]


async def test_the_store_is_asked_first_only_where_and_while_it_pays(
    store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking takes a round trip of its own: nobody pays for it who repeats nothing."""
    monkeypatch.setattr(_writer, "_WARY", 2)
    asked: list[int] = []
    real = _standing.look_up

    async def noting(connection: Any, appends: Any, *rest: Any) -> Any:
        asked.append(len(appends))
        return await real(connection, appends, *rest)

    monkeypatch.setattr(_batches, "look_up", noting)
    repeated = events_of(1)

    async def asks(*appends: tuple[str, list[Event[object]], Any]) -> bool:
        before = len(asked)
        await storage_of(store).write([append_of(store, *each) for each in appends])
        return len(asked) > before

    def fresh(expected: Any = ANY) -> list[tuple[str, list[Event[object]], Any]]:
        return [(f"fresh-{uuid4()}", events_of(1), expected) for _ in range(2)]

    first = ("told", repeated, ANY)
    assert not await asks(first, *fresh())
    assert await asks(first, *fresh())  # the id ends the statement
    assert not await asks(*fresh(0))  # a repetition of these would not fit
    assert not await asks(fresh()[0])
    assert [await asks(*fresh()) for _ in range(3)] == [True, True, False]

    # What is told from the version alone, once it is known, ends no statement.
    assert not await asks(("told", repeated, 0), *fresh())
    assert not await asks(*fresh())

    assert await asks(first, *fresh())
    conflict = ("told", events_of(1), 7)
    assert [await asks(conflict, *fresh()) for _ in range(3)] == [True, True, False]


async def test_an_id_that_comes_twice_in_a_batch_is_stored_once(store: PostgresEventStore) -> None:
    twice, other = events_of(2), events_of(1)
    batch = [
        append_of(store, "a", twice, ANY),
        append_of(store, "b", other, ANY),
        append_of(store, "a", twice, ANY),
        append_of(store, "a", events_of(1), ANY),
        append_of(store, "c", other, ANY),
    ]
    verdicts = await storage_of(store).write(batch)

    assert [verdict.count for verdict in verdicts[:4]] == [2, 1, 0, 1]
    assert verdicts[2].results == verdicts[0].results
    assert verdicts[3].results[0].version == 3
    assert isinstance(verdicts[4], DuplicateEventError)
    assert [event.version async for event in store.read("a")] == [1, 2, 3]
    assert [event async for event in store.read("c")] == []


async def test_many_deliveries_at_once_are_stored_once(store: PostgresEventStore) -> None:
    chance = Random(5)  # noqa: S311 - it chooses a test's input
    messages = [(f"s-{number % 40}", events_of(1 + number % 3)) for number in range(200)]
    deliveries = [chance.choice(messages) for _ in range(600)]

    results = await asyncio.gather(
        *[store.append(stream, events, expected_version=ANY) for stream, events in deliveries]
    )

    told: dict[Any, AppendResult] = {}
    for (_, events), result in zip(deliveries, results, strict=True):
        assert told.setdefault(events[-1].event_id, result) == result
    stored = [event.event_id async for event in store.read_all()]
    assert sorted(stored) == sorted(
        {event.event_id for _, events in deliveries for event in events}
    )


@pytest.mark.parametrize("seed", range(8))
async def test_batches_are_decided_as_the_rule_of_the_core_decides_them(
    store: PostgresEventStore, seed: int
) -> None:
    """The store in memory decides one append after the other."""
    chance = Random(seed)  # noqa: S311 - it chooses a test's input
    model = InMemoryEventStore()
    known: list[tuple[str, list[Event[object]]]] = []
    for _ in range(25):
        batch: list[tuple[str, list[Event[object]], Any]] = []
        for _ in range(chance.randint(1, 8)):
            stream, events = f"s-{chance.randint(0, 5)}", events_of(chance.randint(1, 3))
            if known and chance.random() < 0.4:
                stream, events = chance.choice(known)
                if chance.random() < 0.2:
                    stream = f"s-{chance.randint(0, 5)}"
                if chance.random() < 0.2:
                    events = [*events, *events_of(1)]
            known.append((stream, events))
            expected = chance.choice(
                [ANY, ANY, ANY, ExpectedVersion.STREAM_EXISTS, ExpectedVersion.NO_STREAM, 1, 2, 3]
            )
            batch.append((stream, events, expected))

        storage = storage_of(store)
        found = await storage.write([append_of(store, *each) for each in batch])
        wanted = await model._storage.write([append_of(model, *each) for each in batch])
        assert [outcome(each) for each in found] == [outcome(each) for each in wanted], batch

    assert await streams(store) == await streams(model)
    await model.close()


def outcome(verdict: Any) -> object:
    if isinstance(verdict, Written):  # the order of positions is the storage's own
        return verdict.count, [result.version for result in verdict.results]
    return str(verdict)


async def streams(store: Any) -> list[list[object]]:
    return [[event.event_id async for event in store.read(f"s-{number}")] for number in range(6)]


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_whatever_level_the_database_prefers_appends_meet_only_conflicts(
    url: str, pool: Pool, isolation: str
) -> None:
    name = await pool.fetchval("select current_database()")
    await pool.execute(f'alter database "{name}" set default_transaction_isolation = "{isolation}"')
    async with (
        asyncio.timeout(60),
        asyncpg.create_pool(url, min_size=4, max_size=8) as strict,
    ):
        stores = [PostgresEventStore(strict, listen=False) for _ in range(4)]
        repeated = events_of(1)

        async def write(store: PostgresEventStore, number: int) -> None:
            for turn in range(30):
                await store.append(f"s-{turn % 2}", events_of(1), expected_version=ANY)
                await store.append(
                    f"own-{id(store)}-{number}-{turn}", events_of(2), expected_version=0
                )
                await store.append("told", repeated, expected_version=ANY)

        await asyncio.gather(*[write(store, number) for store in stores for number in range(4)])
        versions = [[event.version async for event in stores[0].read(f"s-{n}")] for n in (0, 1)]
        told = [event.event_id async for event in stores[0].read("told")]
        for store in stores:
            await store.close()

    assert versions == [[*range(1, 241)]] * 2
    assert told == [repeated[0].event_id]
