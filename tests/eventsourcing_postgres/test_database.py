"""Connections: borrowed for a statement, kept at hand for a moment, and never lost to the pool."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    AppendResult,
    Event,
    EventStore,
    ExpectedVersion,
    StorageError,
    open_backend,
    open_migrator,
)
from eventsourcing_core.stores import OutageError, Snapshot
from eventsourcing_postgres import PostgresEventStore, _connections, _database, _pool, _watch
from eventsourcing_postgres._pages import FIRST_PAGE
from eventsourcing_postgres._watch import Watch
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    from collections.abc import Iterator


async def until_notified(store: PostgresEventStore) -> None:
    """Wait until the notification of an append is sent: it borrows a connection that is at hand."""
    async with asyncio.timeout(10):
        while storage_of(store)._waking._notifier is not None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def append(store: EventStore) -> int:
    events = [Event("Opened", {"n": 1})]
    return (await store.append("a", events, expected_version=ExpectedVersion.ANY)).version


async def until_free(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Wait until every connection of a pool is back in it."""
    async with asyncio.timeout(10):
        while pool.get_idle_size() != pool.get_size():  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)


stops_server = pytest.mark.skipif(
    "EVENTSOURCING_POSTGRES_URL" in os.environ,
    reason="the processes of the named server are not ours to stop",
)


@contextmanager
def hanging(*server_processes: int) -> Iterator[None]:
    """Let processes of the server answer nothing."""
    for pid in server_processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in server_processes:
            os.kill(pid, signal.SIGCONT)


async def test_a_connection_at_hand_goes_back_to_the_pool(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=2, max_size=2) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        await append(store)
        await until_free(pool)
        assert not storage_of(store)._database._at_hand


async def test_connections_stay_at_hand_for_all_that_is_under_way(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_AT_HAND", 3600)
    async with (
        asyncpg.create_pool(url, min_size=10, max_size=10) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        database = storage_of(store)._database
        all_have_one = asyncio.Barrier(8)

        async def work(_: object) -> None:
            await all_have_one.wait()

        for _ in range(3):
            await asyncio.gather(*(database.use("look", work) for _ in range(8)))
            await asyncio.wait(database._background)  # the others are back in the pool
            assert len(database._at_hand) == 5


async def test_who_appends_all_the_time_does_not_keep_the_pools_last_connection(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=3, max_size=3) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        versions: list[int] = []

        async def append_for_ever() -> None:
            while True:
                versions.append(await append(store))

        appending = asyncio.create_task(append_for_ever())
        while len(versions) < 10:  # noqa: ASYNC110 - until it is kept, before the pool runs short
            await asyncio.sleep(0)
        try:
            async with pool.acquire(), pool.acquire(), pool.acquire(timeout=10):
                assert pool.get_idle_size() == 0
        finally:
            appending.cancel()
            await asyncio.wait({appending})


async def test_closing_the_store_gives_the_connection_back_at_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_AT_HAND", 3600)
    async with asyncpg.create_pool(url, min_size=2, max_size=2) as pool:
        async with PostgresEventStore(pool, listen=False) as store:
            assert [event async for event in store.read("a")] == []
            assert pool.get_idle_size() == 1
        assert pool.get_idle_size() == 2


async def test_a_connection_that_was_lost_at_hand_is_nobodys_error(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_AT_HAND", 3600)
    other = await asyncpg.connect(url)
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=2) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        for number in range(1, 6):  # more often than the pool has connections
            assert await append(store) == number
            await until_notified(store)
            at_hand = list(storage_of(store)._database._at_hand)
            sql = """
                select pg_terminate_backend(pid, 10000) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
            """
            assert all(row[0] for row in await other.fetch(sql))
            async with asyncio.timeout(10):
                for held in at_hand:
                    while not _connections.is_lost(held):  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.01)
    await other.close()


@stops_server
async def test_who_gives_up_on_a_server_that_hangs_does_not_wait_for_it(url: str) -> None:
    loop = asyncio.get_running_loop()
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool, asyncio.timeout(20):
        async with PostgresEventStore(pool, listen=False) as store:
            await append(store)
            (at_hand,) = storage_of(store)._database._at_hand
            with hanging(at_hand.get_server_pid()):
                begin = loop.time()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await append(store)
                assert loop.time() - begin < 5
        await until_free(pool)
        assert not storage_of(store)._database._background


async def processes(url: str, condition: str) -> list[int]:
    """Wait until processes of the server meet a condition, and give their ids."""
    sql = f"select pid from pg_stat_activity where datname = current_database() and {condition}"  # noqa: S608 - a test's own
    connection = await asyncpg.connect(url)
    try:
        while not (rows := await connection.fetch(sql)):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        return [row[0] for row in rows]
    finally:
        await connection.close()


LISTENS = "query ilike 'listen %'"
OURS = "application_name = 'hangs'"  # all connections of a backend that is opened with this name


@stops_server
@pytest.mark.parametrize("appends", [1, 40])
async def test_appends_that_the_server_does_not_answer_fail_and_later_ones_are_written(
    url: str, appends: int
) -> None:
    # All connections are dead, as after a failover that nobody was told of.
    async with asyncio.timeout(30):
        async with open_backend(
            url, application_name="hangs", answer_timeout=0.3, acquire_timeout=1, min_size=4
        ) as backend:
            store = backend.event_store

            def append_to_all(name: str) -> list[asyncio.Task[AppendResult]]:
                events = [[Event("Opened", {"n": 1})] for _ in range(appends)]
                return [
                    asyncio.create_task(store.append(f"{name}-{n}", each, expected_version=0))
                    for n, each in enumerate(events)
                ]

            await asyncio.gather(*append_to_all("before"))
            with hanging(*await processes(url, OURS)):
                outcomes = await asyncio.gather(*append_to_all("a"), return_exceptions=True)
                assert {type(outcome) for outcome in outcomes} == {OutageError}
                assert "has not answered for 0.3 seconds" in str(outcomes[0])
                written = await asyncio.gather(*append_to_all("b"))
                assert [result.version for result in written] == [1] * appends


@stops_server
async def test_when_a_connection_was_ended_a_new_one_listens(url: str) -> None:
    async with (
        asyncio.timeout(30),
        open_backend(
            url, application_name="hangs", answer_timeout=0.3, poll_interval=0.05
        ) as backend,
    ):
        store = backend.event_store
        await append(store)
        waiting = asyncio.create_task(store.wait(after_position=9, timeout=3600))
        (dead,) = await processes(url, LISTENS)
        with hanging(*await processes(url, OURS)):
            with pytest.raises(StorageError, match="append failed: the server has not answered"):
                await append(store)
            await processes(url, f"{LISTENS} and pid <> {dead}")
        waiting.cancel()


async def test_an_answer_that_is_there_is_taken_however_late_it_is_looked_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_watch, "_GRACE", 60)  # a busy machine may need it for the second answer
    # As behind a pooler, each statement is prepared first: a second one must follow.
    async with open_backend(url, answer_timeout=0.2, pooler=True) as backend:
        store = backend.event_store
        await append(store)
        while storage_of(store)._waking._notifier is not None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
        appending = asyncio.create_task(append(store))
        while not storage_of(store)._database._watch._asked:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251 - the whole process stands still
        assert await appending == 2


async def test_a_connection_that_is_lost_as_it_is_ended_does_not_end_the_watch() -> None:
    ended: list[str] = []

    class Silent:
        def __init__(self, name: str, error: Exception | None = None) -> None:
            self.name = name
            self.error = error

        def terminate(self) -> None:
            ended.append(self.name)
            if self.error is not None:
                raise self.error

    renewals: list[None] = []
    watch = Watch(0.01, lambda: renewals.append(None))
    lost: Any = Silent("lost", asyncpg.InterfaceError("released"))
    async with asyncio.timeout(10):
        watch.begin(lost)
        while not ended:  # noqa: ASYNC110 - it tells nobody; below, too
            await asyncio.sleep(0.01)
        later: Any = Silent("later")
        watch.begin(later)
        while ended != ["lost", "later"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert len(renewals) == 2
    assert not watch.end(lost)


@stops_server
async def test_a_backend_is_closed_although_who_waits_has_no_answer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool, "_GOOD_BYE", 0.2)
    monkeypatch.setattr(_database, "_CLOSING", 0.2)
    async with asyncio.timeout(20):
        opened = open_backend(url, application_name="hangs", answer_timeout=0.3, poll_interval=0.01)
        store = (await opened.__aenter__()).event_store
        watch = storage_of(store)._database._watch
        await append(store)
        waiting = asyncio.create_task(store.wait(after_position=1, timeout=3600))
        with hanging(*await processes(url, OURS)):
            reading = asyncio.create_task(anext(aiter(store.read("a")), None))
            while not watch._asked:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            await opened.__aexit__(None, None, None)
        outcomes = await asyncio.gather(waiting, reading, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StorageError, OutageError]


@pytest.mark.parametrize("turns", range(4))
async def test_a_store_is_closed_when_its_listening_connection_was_lost_just_now(
    url: str, turns: int
) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=3) as pool, asyncio.timeout(20):
        store = PostgresEventStore(pool, poll_interval=0.01)
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=3600))
        await processes(url, LISTENS)
        listening = storage_of(store)._waking._listener._connection
        assert listening is not None
        listening.terminate()
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.close()
        with pytest.raises(StorageError, match="closed"):
            await waiting


@stops_server
async def test_who_waits_on_a_server_that_hangs_does_not_wait_longer(url: str) -> None:
    async with (
        asyncio.timeout(20),
        open_backend(url, application_name="hangs", acquire_timeout=1) as backend,
    ):
        store = backend.event_store
        await append(store)
        asked = await processes(url, OURS)
        with hanging(*asked), pytest.raises(StorageError, match="wait failed: no connection in ti"):
            await store.wait(after_position=1, timeout=0.1)


@stops_server
async def test_a_store_is_closed_although_the_server_that_it_listens_to_hangs(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=3) as pool, asyncio.timeout(20):
        store = PostgresEventStore(pool, poll_interval=3600)
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=3600))
        with hanging(*await processes(url, LISTENS)):
            async with asyncio.timeout(10):
                await store.close()
            with pytest.raises(StorageError, match="closed"):
                await waiting
            await until_free(pool)


@stops_server
async def test_a_store_is_closed_although_its_listening_connection_is_lost_meanwhile(
    url: str,
) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=3) as pool, asyncio.timeout(20):
        store = PostgresEventStore(pool, poll_interval=0.01)
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=3600))
        (pid,) = await processes(url, LISTENS)
        with hanging(pid):
            closing = asyncio.create_task(store.close())
            for _ in range(20):  # turns of the loop, until UNLISTEN is under way
                await asyncio.sleep(0)
            assert not closing.done()
            os.kill(pid, signal.SIGTERM)  # it ends when it goes on, in the middle of UNLISTEN
        await closing
        with pytest.raises(StorageError, match="closed"):
            await waiting
        await until_free(pool)


@stops_server
async def test_a_backend_is_closed_although_all_of_its_server_hangs(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool, "_GOOD_BYE", 0.2)
    async with asyncio.timeout(20):
        opened = open_backend(url, application_name="hangs", poll_interval=3600)
        store = (await opened.__aenter__()).event_store
        await append(store)
        waiting = asyncio.create_task(store.wait(after_position=1, timeout=3600))
        await processes(url, LISTENS)
        with hanging(*await processes(url, OURS)):
            await opened.__aexit__(None, None, None)
        with pytest.raises(StorageError, match="closed"):
            await waiting


@stops_server
async def test_a_migrator_is_closed_although_the_server_hangs(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool, "_GOOD_BYE", 0.2)
    async with asyncio.timeout(20):
        opened = open_migrator(url, application_name="hangs")
        migrator = await opened.__aenter__()
        with hanging(*await processes(url, OURS)):
            await opened.__aexit__(None, None, None)
        with pytest.raises(StorageError, match="closed"):
            await migrator.status()


async def test_closing_a_backend_lets_what_is_under_way_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pool, "_GOOD_BYE", 0.1)
    other = await asyncpg.connect(url)
    async with asyncio.timeout(20):
        async with open_backend(url, migrate=True) as backend:
            await other.execute("begin; lock table eventsourcing.snapshots")
            snapshot = Snapshot("a", 1, b"{}", "json", "1", datetime.now(UTC))
            saving = asyncio.create_task(backend.snapshot_store.save(snapshot))
            await processes(url, "wait_event_type = 'Lock'")
            asyncio.get_running_loop().call_later(0.5, other.terminate)  # lets it go on
        await saving
        async with open_backend(url) as backend:
            assert await backend.snapshot_store.load("a") == snapshot


async def test_closing_the_store_ends_who_reads_and_who_waits(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=3) as pool, asyncio.timeout(20):
        store = PostgresEventStore(pool, listen=False, poll_interval=3600)
        many: list[Event[object]] = [Event("Opened", {}) for _ in range(8 * FIRST_PAGE)]
        await store.append("a", many, expected_version=0)
        reader = aiter(store.read("a"))
        assert (await anext(reader)).version == 1  # the next page is being fetched
        waiting = asyncio.create_task(store.wait(after_position=8 * FIRST_PAGE, timeout=3600))
        while not storage_of(store)._waking._waiting:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        await until_free(pool)
        await store.close()
        assert pool.get_idle_size() == pool.get_size()
        with pytest.raises(StorageError, match="closed"):
            await waiting
        with pytest.raises(StorageError, match="closed"):
            assert [event async for event in reader] == []
