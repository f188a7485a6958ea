"""Servers and connections that do not answer: everything ends in its time, and says why."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from eventsourcing_core import Event, ExpectedVersion, StorageError, open_backend, open_migrator
from eventsourcing_core.stores import OutageError
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.test_database import (
    OURS,
    hanging,
    processes,
    stops_server,
    until_free,
    until_notified,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from eventsourcing_core import Backend

    Pool = asyncpg.Pool[asyncpg.Record]

DEADLINE = 20.0  # seconds until something counts as never ending


async def append(store: Any) -> None:
    await store.append("a", [Event("Opened", {})], expected_version=ExpectedVersion.ANY)


@asynccontextmanager
async def proxy(url: str, passes: Callable[[bytes], bool]) -> AsyncIterator[str]:
    """Give the URL of a proxy that passes on what it should of what the client sends."""
    parts = urlsplit(url)
    pumps: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool
    ) -> None:
        try:
            while data := await reader.read(65536):
                if not is_client or passes(data):
                    writer.write(data)
        finally:
            if not is_client:
                writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to, back = await asyncio.open_connection(parts.hostname, parts.port)
        writers.add(back)
        for work in (pump(reader, back, is_client=True), pump(to, writer, is_client=False)):
            pumps.add(asyncio.create_task(work))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.wait(pumps)
        for each in writers:
            each.close()
            await each.wait_closed()


@stops_server
async def test_a_proxy_that_keeps_the_good_bye_to_itself_delays_nobody_for_ever(url: str) -> None:
    async with proxy(url, lambda data: data[:1] != b"X") as through, asyncio.timeout(DEADLINE):
        async with open_backend(through, migrate=True) as backend:
            await append(backend.event_store)
        async with open_migrator(through) as migrator:
            assert (await migrator.status()).applied > 0


@stops_server
async def test_a_proxy_that_goes_silent_after_connecting_is_given_up(url: str) -> None:
    sent: list[bytes] = []

    def passes(data: bytes) -> bool:
        sent.append(data)
        return len(sent) <= 2  # what a connection begins with, and no statement

    async with proxy(url, passes) as through, asyncio.timeout(DEADLINE):
        with pytest.raises(StorageError, match="opening the database at 127.0.0.1"):
            async with open_backend(through, connect_timeout=0.5, answer_timeout=0.5):
                pass


async def read(backend: Backend) -> object:
    return [e async for e in backend.event_store.read("a")]


async def read_all(backend: Backend) -> object:
    return [e async for e in backend.event_store.read_all()]


async def read_filtered(backend: Backend) -> object:
    return [e async for e in backend.event_store.read_all(stream_prefix="a")]


async def list_streams(backend: Backend) -> object:
    store: Any = backend.event_store
    return [stream async for stream in store.streams()]


@stops_server
@pytest.mark.parametrize("work", [read, read_all, read_filtered, list_streams])
async def test_reading_on_a_connection_that_is_dead_ends(url: str, work: Any) -> None:
    async with (
        asyncio.timeout(DEADLINE),
        open_backend(url, application_name="hangs", answer_timeout=0.3) as backend,
    ):
        await append(backend.event_store)
        with hanging(*await processes(url, OURS)):
            with pytest.raises(OutageError, match="has not answered for 0.3 seconds"):
                await work(backend)
            assert await work(backend)  # on a new connection


@stops_server
async def test_reading_in_a_transaction_whose_connection_is_dead_ends(url: str) -> None:
    async with (
        asyncio.timeout(DEADLINE),
        open_backend(url, application_name="hangs", answer_timeout=0.3) as backend,
    ):
        await append(backend.event_store)

        async def read_inside() -> None:
            async with backend.transaction() as transaction:
                with hanging(*await processes(url, OURS)):
                    assert [e async for e in transaction.read("a")]

        with pytest.raises(OutageError, match="read failed: the server has not answered"):
            await read_inside()


async def test_a_connection_that_answers_is_kept_however_long_nobody_uses_it(url: str) -> None:
    async with (
        asyncio.timeout(DEADLINE),
        open_backend(url, application_name="hangs", answer_timeout=0.2, pooler=True) as backend,
    ):
        store: Any = backend.event_store
        await append(store)
        await until_notified(store)
        before = await processes(url, OURS)
        watch = storage_of(backend.event_store)._database._watch
        while watch._timer is not None:  # noqa: ASYNC110 - until it has looked
            await asyncio.sleep(0.01)
        await append(backend.event_store)
        assert await processes(url, OURS) == before


async def test_what_may_take_long_is_not_cut(pool: Pool) -> None:
    async with PostgresEventStore(pool, answer_timeout=0.2, listen=False) as store:
        database = storage_of(store)._database

        async def slow(connection: Any) -> int:
            return int(await connection.fetchval("select 7 from pg_sleep(1)"))

        assert await database.use("statistics", slow) == 7
        with pytest.raises(OutageError, match="has not answered for 0.2 seconds"):
            await database.use("read", slow)


@stops_server
async def test_a_wait_on_a_server_that_hangs_ends_with_its_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_backend(url, application_name="hangs", poll_interval=0.1) as backend:
        store = backend.event_store
        await append(store)
        waking: Any = storage_of(store)._waking
        real, answered = waking._is_there, asyncio.Event()

        async def noting(position: int) -> bool:
            is_there: bool = await real(position)
            answered.set()
            return is_there

        monkeypatch.setattr(waking, "_is_there", noting)
        waiting = asyncio.create_task(store.wait(after_position=1, timeout=1))
        async with asyncio.timeout(DEADLINE):
            await answered.wait()
        with hanging(*await processes(url, OURS)):
            async with asyncio.timeout(4):
                assert not await waiting


async def test_a_wait_for_a_connection_of_the_pool_ends_with_its_time(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        PostgresEventStore(pool) as store,
    ):
        async with pool.acquire(), asyncio.timeout(4):
            with pytest.raises(StorageError, match="wait failed: no connection in time"):
                await store.wait(after_position=0, timeout=0.1)
        await append(store)
        await until_free(pool)


async def test_an_exhausted_pool_says_what_a_load_inside_a_transaction_needs(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        PostgresEventStore(pool, acquire_timeout=0.1) as store,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        with pytest.raises(OutageError, match=r"all 1 connections .* read by backend.transaction"):
            assert [e async for e in store.read("a")]


async def test_a_connection_that_the_driver_lost_track_of_is_ended(pool: Pool) -> None:
    async with PostgresEventStore(pool, listen=False) as store:
        database = storage_of(store)._database
        used: list[Any] = []

        async def opaque(connection: Any) -> None:
            used.append(connection.get_server_pid())
            message = "cannot switch to state 12; another operation (2)"
            raise asyncpg.InternalClientError(message)

        for _ in range(3):
            with pytest.raises(
                OutageError, match=r"append failed: the connection was lost .*state 12"
            ):
                await database.use("append", opaque)
            await until_free(pool)
        assert len(set(used)) == 3
        await append(store)


@pytest.mark.parametrize("commits", [True, False])
async def test_a_transaction_may_be_cancelled_at_any_moment(url: str, commits: bool) -> None:  # noqa: FBT001 - a parameter
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    async with asyncio.timeout(60), open_backend(url, max_size=2) as backend:
        store = backend.event_store

        async def transact(number: int) -> None:
            async with backend.transaction() as transaction:
                connection: Any = transaction.connection
                await connection.execute("select")
                stream_id = f"b-{number}"
                await transaction.append(stream_id, [Event("Opened", {})], expected_version=0)
                if not commits:
                    raise LookupError

        turns, is_over = 0, False
        while not is_over:
            task = asyncio.create_task(transact(turns))
            for _ in range(turns):
                await asyncio.sleep(0)
            is_over = task.done()
            task.cancel()
            await asyncio.wait({task})
            turns += 1 + turns // 40
        await append(store)
        await until_free(storage_of(store)._database.pool)
    assert said == []


request: ContextVar[object] = ContextVar("request", default=None)


class Request:
    """What a web framework keeps in a context variable."""


async def append_and_wait(backend: Backend) -> None:
    store: Any = backend.event_store
    result = await store.append("w", [Event("Opened", {})], expected_version=ExpectedVersion.ANY)
    waiting = asyncio.create_task(store.wait(after_position=result.position, timeout=3600))
    while not storage_of(store)._waking._waiting:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    await append(store)
    assert await waiting


async def transact(backend: Backend) -> None:
    async with backend.transaction() as transaction:
        await transaction.append("t", [Event("Opened", {})], expected_version=ExpectedVersion.ANY)


async def load_a_snapshot(backend: Backend) -> None:
    assert await backend.snapshot_store.load("a") is None


@pytest.mark.parametrize(
    "work", [append_and_wait, transact, load_a_snapshot, read, read_all, read_filtered]
)
async def test_no_request_stays_in_memory_after_its_end(url: str, work: Any) -> None:
    async def serve(backend: Backend) -> weakref.ref[Request]:
        mine = Request()
        request.set(mine)
        await work(backend)
        return weakref.ref(mine)

    async with asyncio.timeout(DEADLINE), open_backend(url, answer_timeout=3600) as backend:
        kept = await asyncio.create_task(serve(backend))
        while kept() is not None:
            await asyncio.sleep(0.05)
            gc.collect()
    assert kept() is None
