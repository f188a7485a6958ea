"""Groups: appends to several streams, written whole or not at all, beside single ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import (
    Append,
    EncodedEvent,
    Imported,
    Required,
    RowQuery,
    StorageError,
    StreamHeldError,
    Write,
    Written,
)
from eventsourcing_postgres._boundaries._locks import key_of
from eventsourcing_postgres._storage import PostgresStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
ONE_EACH = Written((AppendResult(1, 1), AppendResult(1, 2)), 2)


@pytest.fixture
async def storage(pool: Pool) -> AsyncIterator[PostgresStorage]:
    opened = PostgresStorage(
        pool,
        schema="eventsourcing",
        acquire_timeout=10,
        answer_timeout=10,
        poll_interval=1,
        listen=False,
        max_wait=0.2,
    )
    async with asyncio.timeout(20):
        yield opened
        await opened.close()


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


def encoded() -> EncodedEvent:
    return EncodedEvent("Opened", b"{}", None, "json", uuid4().bytes, 0)


def to(stream_id: str, expected: int | ExpectedVersion = 0, count: int = 1) -> Write:
    return Write(stream_id, tuple(encoded() for _ in range(count)), expected)


def group(*writes: Write) -> Append:
    return Append(writes, 0)


def imported(*stream_ids: str) -> Append:
    """Make an import of the first event of each stream."""
    writes = tuple(to(stream_id) for stream_id in stream_ids)
    return Append(writes, 0, tuple(Imported(number, 0, 1) for number in range(len(writes))))


async def stored(storage: PostgresStorage) -> list[tuple[str, int]]:
    pages = storage.rows_of_all(0, RowQuery(), backward=False, limit=None)
    return [(row.stream_id, row.version) async for page in pages for row in page.rows]


async def test_a_group_is_written_as_a_whole(storage: PostgresStorage) -> None:
    appends = [group(to("a", count=2), to("b", ANY)), group(to("a", 2), to("c"))]
    assert await storage.write(appends) == [
        Written((AppendResult(2, 2), AppendResult(1, 3)), 3),
        Written((AppendResult(3, 4), AppendResult(1, 5)), 2),
    ]
    assert await stored(storage) == [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("c", 1)]


async def test_a_group_with_a_conflict_writes_nothing(storage: PostgresStorage) -> None:
    (verdict,) = await storage.write([group(to("a"), to("b", 1))])
    assert isinstance(verdict, ConcurrencyError)
    assert (verdict.stream_id, verdict.expected, verdict.actual) == ("b", 1, 0)
    assert await stored(storage) == []


async def test_a_group_that_is_repeated_gives_its_result_again(storage: PostgresStorage) -> None:
    append = group(to("a"), to("b"))
    assert await storage.write([append]) == [ONE_EACH]
    assert await storage.write([append]) == [ONE_EACH._replace(count=0)]
    assert await stored(storage) == [("a", 1), ("b", 1)]


async def test_an_id_that_stands_elsewhere_refuses_a_group(storage: PostgresStorage) -> None:
    write = to("a")
    await storage.write([group(write)])
    (verdict,) = await storage.write([group(to("b"), write._replace(stream_id="c"))])
    assert isinstance(verdict, DuplicateEventError)
    assert verdict.stream_id == "a"
    assert await stored(storage) == [("a", 1)]


async def test_groups_imports_and_single_appends_of_one_call_are_judged_in_order(
    storage: PostgresStorage,
) -> None:
    verdicts = await storage.write(
        [
            group(to("a")),
            group(to("b")),
            group(to("a", 1), to("c")),
            group(to("c", 0)),
            group(to("c", 1)),
            imported("d", "e"),
            group(to("d", 1)),
            imported("a"),
        ]
    )
    counts = [each.count if isinstance(each, Written) else type(each) for each in verdicts]
    lost = ConcurrencyError
    assert counts == [1, 1, 2, lost, 1, 2, 1, lost]
    assert sorted(await stored(storage)) == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("c", 1),
        ("c", 2),
        ("d", 1),
        ("d", 2),
        ("e", 1),
    ]


async def test_nothing_overtakes_a_group_that_is_held_in_any_of_its_streams(
    storage: PostgresStorage, other: Connection
) -> None:
    await storage.write([group(to("held"))])
    async with other.transaction():
        await other.execute("select from eventsourcing.streams where id = 'held' for update")
        verdicts = await storage.write(
            [
                group(to("a")),
                group(to("b"), to("held", 1)),
                group(to("b")),
                group(to("c")),
                imported("b", "d"),
                group(to("d")),
            ]
        )
    is_held = [isinstance(verdict, StreamHeldError) for verdict in verdicts]
    assert is_held == [False, True, True, False, True, True]
    assert sorted(await stored(storage)) == [("a", 1), ("c", 1), ("held", 1)]


async def test_a_run_that_fails_beside_a_group_is_written_one_by_one(
    storage: PostgresStorage, other: Connection
) -> None:
    await other.execute("""
        create function refuse() returns trigger language plpgsql
        as $$ begin raise 'refused by a trigger'; end $$;
        create trigger refused before insert on eventsourcing.events
        for each row when (new.stream_id like 'bad%') execute function refuse();
    """)
    appends = [group(to(stream_id)) for stream_id in ("a", "bad", "b")]
    verdicts = await storage.write(
        [*appends, group(to("c"), to("d")), group(to("bad-1"), to("e")), group(to("f"))]
    )
    failed = [isinstance(verdict, StorageError) for verdict in verdicts]
    assert failed == [False, True, False, False, True, False]
    assert sorted(await stored(storage)) == [(stream_id, 1) for stream_id in "abcdf"]


async def test_a_group_in_a_transaction_is_stored_with_it(storage: PostgresStorage) -> None:
    transactions = storage.parts().transactions
    assert transactions is not None
    append = group(to("a"), to("b"))
    async with transactions.begin() as transaction:
        assert await transaction.write([append]) == [ONE_EACH]
        (verdict,) = await transaction.write([group(to("b", 0), to("c"))])
        assert isinstance(verdict, ConcurrencyError)
        assert await transaction.write([append]) == [ONE_EACH._replace(count=0)]
        assert await stored(storage) == []
    assert await stored(storage) == [("a", 1), ("b", 1)]


async def test_a_group_that_is_held_in_a_transaction_leaves_it_usable(
    storage: PostgresStorage, other: Connection
) -> None:
    await storage.write([group(to("held"))])
    transactions = storage.parts().transactions
    assert transactions is not None
    async with other.transaction():
        await other.execute("select from eventsourcing.streams where id = 'held' for update")
        async with transactions.begin() as transaction:
            (verdict,) = await transaction.write([group(to("a"), to("held", 1))])
            assert isinstance(verdict, StreamHeldError)
            await transaction.write([group(to("a"), to("b"))])
    assert await stored(storage) == [("held", 1), ("a", 1), ("b", 1)]


async def test_a_group_whose_stream_moves_meanwhile_is_decided_anew_in_a_transaction(
    storage: PostgresStorage, other: Connection
) -> None:
    # Somebody else begins a stream between the look at it and its lock, once.
    await other.execute("""
        create sequence calls;
        alter function eventsourcing.advance_v1 rename to real_advance;
        create function eventsourcing.advance_v1(stream_id text, expected bigint, size integer)
        returns bigint language plpgsql as $$
        begin
            if nextval('calls') = 1 then
                return null;
            end if;
            return eventsourcing.real_advance(stream_id, expected, size);
        end
        $$;
        comment on function eventsourcing.advance_v1 is 'revision 1 for "eventsourcing"';
    """)
    transactions = storage.parts().transactions
    assert transactions is not None
    await storage.write([imported("a", "b")])
    async with transactions.begin() as transaction:
        (verdict,) = await transaction.write([group(to("a", 1), to("b", 1))])
    assert isinstance(verdict, Written)
    assert [result.version for result in verdict.results] == [2, 2]
    assert len(await stored(storage)) == 4


async def test_a_group_behind_a_held_one_that_requires_the_same_is_whole_or_nothing(
    storage: PostgresStorage, other: Connection
) -> None:
    tagged = to("m")._replace(events=(encoded()._replace(tags=("t",)),))
    requires = (Required("r", 0),)
    waits = group(tagged)._replace(requires=requires)
    behind = group(to("a"), to("z"))._replace(requires=requires)  # around the required one
    class_ = "eventsourcing.boundary_class_v1()"
    async with other.transaction():
        await other.execute(f"select pg_advisory_xact_lock({class_}, {key_of('t')})")
        verdicts = await storage.write([waits, behind])
        assert [type(each) for each in verdicts] == [StreamHeldError, StreamHeldError]
        assert await stored(storage) == []
    assert [type(each) for each in await storage.write([waits, behind])] == [Written, Written]
    assert await stored(storage) == [("m", 1), ("a", 1), ("z", 1)]
