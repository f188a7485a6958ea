"""What users and servers do wrong: a clear error of ours, nothing half written, and it goes on."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from eventsourcing_core import (
    Event,
    ExpectedVersion,
    Query,
    RecordedEvent,
    SchemaError,
    SerializationError,
    StorageError,
    StreamAt,
    ToStream,
    open_backend,
)
from eventsourcing_core.stores import Snapshot
from eventsourcing_postgres import (
    PostgresEventStore,
    PostgresSnapshotStore,
    migrate,
    rollback,
    status,
)
from tests.eventsourcing_postgres._databases import execute, temporary_database
from tests.eventsourcing_postgres._server import GUARDED
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.test_database import until_notified

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
    Operation = Callable[[PostgresEventStore, PostgresSnapshotStore], Awaitable[object]]

DOCS = Path(__file__).parents[2] / "docs"
ANY = ExpectedVersion.ANY
SECRET = "p@ss/w:rd%"  # noqa: S105 - a password for a test's own user
_numbers = count(1)


def event(n: int = 1) -> Event[dict[str, int]]:
    return Event("Opened", {"n": n})


def snapshot(aggregate_id: str = "a") -> Snapshot:
    return Snapshot(aggregate_id, 1, b"{}", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))


async def versions(store: PostgresEventStore, stream_id: str) -> list[int]:
    return [event.version async for event in store.read(stream_id)]


def everything_said(error: BaseException) -> str:
    """Give the texts of an error and of those behind it, as a traceback shows them."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    return "\n".join(f"{one} {one!r}" for one in seen)


# Everything that asks the server.


async def _read(store: PostgresEventStore, _: PostgresSnapshotStore) -> object:
    return [event async for event in store.read("a")]


async def _read_all(store: PostgresEventStore, _: PostgresSnapshotStore) -> object:
    return [event async for event in store.read_all()]


async def _read_back(store: PostgresEventStore, _: PostgresSnapshotStore) -> object:
    return [event async for event in store.read_all(backward=True)]


async def _import(store: PostgresEventStore, _: PostgresSnapshotStore) -> object:
    recorded = RecordedEvent("Opened", {"n": 1}, stream_id="elsewhere", version=1, position=1)
    return await store.import_events([recorded])


async def _streams(store: PostgresEventStore, _: PostgresSnapshotStore) -> object:
    return [stream async for stream in store.streams(prefix="a")]


OPERATIONS: dict[str, Operation] = {
    "append": lambda store, _: store.append("a", [event()], expected_version=ANY),
    "group": lambda store, _: store.append_together(
        [ToStream("g", [event()], expected_version=ANY)], requires=[StreamAt("absent", 0)]
    ),
    "read_matching": lambda store, _: store.read_matching(Query(tags={"a"})),
    "import": _import,
    "read": _read,
    "read_all": _read_all,
    "read_all backward": _read_back,
    "wait": lambda store, _: store.wait(after_position=0, timeout=5),
    "appenders": lambda store, _: store.appenders(),
    "streams": _streams,
    "statistics": lambda store, _: store.statistics(),
    "save": lambda _, snapshots: snapshots.save(snapshot()),
    "load": lambda _, snapshots: snapshots.load("a"),
    "prune": lambda _, snapshots: snapshots.prune("a", keep=1),
}


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@asynccontextmanager
async def stores_on(
    pool: Pool, **options: Any
) -> AsyncIterator[tuple[PostgresEventStore, PostgresSnapshotStore]]:
    """Open both stores on a pool."""
    snapshots = PostgresSnapshotStore(pool, **options)
    async with PostgresEventStore(pool, listen=False, **options) as store:
        yield store, snapshots
    snapshots.close()


@pytest.fixture
async def single(url: str) -> AsyncIterator[Pool]:
    """Give a pool of one connection: if it is not given back, the next use waits for ever."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        yield pool


@pytest.fixture
async def store(single: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(single, acquire_timeout=10) as opened:
        yield opened


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


async def refused(url: str, **options: Any) -> StorageError:
    """Open a backend in vain, and give the error."""
    async with asyncio.timeout(30):
        with pytest.raises(StorageError) as caught:
            async with open_backend(url, **options):
                pass
    assert "secret" not in everything_said(caught.value)
    return caught.value


# A server that cannot be had.


@pytest.fixture
async def guarded_url(url: str) -> AsyncIterator[str]:
    """Give the URL of a user whose password the server checks."""
    if "EVENTSOURCING_POSTGRES_URL" in os.environ:
        pytest.skip("the named server decides by itself whether it checks passwords")
    await execute(url, f"create role {GUARDED} login password '{SECRET}'")
    address = urlsplit(url).netloc.split("@")[1]
    yield urlsplit(url)._replace(netloc=f"{GUARDED}@{address}").geturl()
    await execute(url, f"drop owned by {GUARDED}; drop role {GUARDED}")


async def test_a_wrong_password_is_refused_and_not_shown(guarded_url: str) -> None:
    error = await refused(guarded_url.replace("guarded@", "guarded:wrong-secret@"))
    assert isinstance(error.__cause__, asyncpg.InvalidPasswordError)
    assert "guarded" in str(error)


async def test_a_missing_password_is_refused(guarded_url: str) -> None:
    error = await refused(guarded_url)
    assert isinstance(error.__cause__, asyncpg.InvalidPasswordError | asyncpg.InterfaceError)


async def test_a_password_of_any_characters_is_quoted_in_the_url(
    url: str, guarded_url: str
) -> None:
    await execute(url, f"grant usage on schema eventsourcing to {GUARDED}")
    await execute(url, f"grant select on all tables in schema eventsourcing to {GUARDED}")
    right = guarded_url.replace("guarded@", f"guarded:{quote(SECRET, safe='')}@")
    async with open_backend(right) as backend:
        assert [e async for e in backend.event_store.read("a")] == []


async def test_a_missing_database_is_named(url: str) -> None:
    error = await refused(f"{url}_gone")
    assert isinstance(error.__cause__, asyncpg.InvalidCatalogNameError)
    assert "_gone" in str(error)
    assert "createdb" in str(error)


@pytest.mark.parametrize("options", [{}, {"migrate": True, "pooler": False}])
async def test_an_address_where_nothing_listens_says_so(options: dict[str, bool]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = await refused(f"postgresql://u:secret@127.0.0.1:{port}/x", **options)
    assert f"opening the database at 127.0.0.1:{port} failed" in str(error)
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert "nothing listens there" in str(error)


async def test_a_host_without_an_address_is_told_from_one_that_is_away() -> None:
    error = await refused("postgresql://u:secret@no-such-host.invalid/x")
    assert isinstance(error.__cause__, socket.gaierror)
    assert "has no address" in str(error)


async def test_a_host_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = await refused(f"postgresql://u:secret@127.0.0.1:{port}/x", acquire_timeout=0.2)
    assert isinstance(error.__cause__, TimeoutError)


@pytest.mark.parametrize("answer", [b"", b"N", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_server_of_another_kind_is_refused(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(answer)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await refused(f"postgresql://u:secret@127.0.0.1:{port}/x", acquire_timeout=5)
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("u:secret@127.0.0.1:port/x", {}),
        ("u:secret@127.0.0.1:99999/x", {}),
        ("u:secret@127.0.0.1/x", {"sslmode": "perhaps"}),
        ("u:secret@127.0.0.1/x", {"min_size": 3, "max_size": 2}),
        ("u:secret@127.0.0.1/x", {"max_size": 0}),
    ],
)
async def test_an_address_or_option_that_makes_no_sense_is_refused(
    address: str, options: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, StorageError)) as caught:
        async with open_backend(f"postgresql://{address}", **options):
            pass
    assert "secret" not in everything_said(caught.value)


# A pool that gives no connection.


@pytest.mark.parametrize(("was_opened", "said"), [(True, "closed"), (False, "not initialized")])
async def test_a_pool_that_is_not_open_is_a_storage_error(
    url: str, operation: Operation, said: str, *, was_opened: bool
) -> None:
    pool = asyncpg.create_pool(url, min_size=1, max_size=1)
    if was_opened:
        await pool
    async with stores_on(pool) as (store, snapshots):
        if was_opened:
            await pool.close()
        with pytest.raises(StorageError, match=said) as caught:
            await operation(store, snapshots)
        assert isinstance(caught.value.__cause__, asyncpg.InterfaceError)


async def test_an_exhausted_pool_is_a_storage_error_and_is_used_again_afterwards(
    single: Pool, operation: Operation
) -> None:
    async with stores_on(single, acquire_timeout=0.05) as (store, snapshots):
        await store.append("a", [event()], expected_version=0)
        async with single.acquire():
            with pytest.raises(StorageError, match="no connection in time") as caught:
                await operation(store, snapshots)
            assert isinstance(caught.value.__cause__, TimeoutError)
        async with asyncio.timeout(10):
            await operation(store, snapshots)


# What the server refuses.


@pytest.fixture
async def role(url: str) -> AsyncIterator[str]:
    """Give the name of a user who has no rights in the store, with the password ``secret``."""
    name = f"es_{os.getpid()}_role_{next(_numbers)}"
    await execute(url, f"create role {name} login password 'secret'")
    yield name
    await execute(url, f"drop owned by {name}")
    await execute(url, f"drop role {name}")


@pytest.fixture
async def restricted(url: str, role: str) -> AsyncIterator[Pool]:
    """Give a pool of one connection of that user's."""
    async with asyncpg.create_pool(url, user=role, password="secret", min_size=1, max_size=1) as p:  # noqa: S106 - as above
        yield p


async def test_a_user_without_rights_is_refused_everything(
    restricted: Pool, operation: Operation
) -> None:
    async with stores_on(restricted, acquire_timeout=10) as (store, snapshots):
        for _ in range(2):  # the only connection is given back
            with pytest.raises(StorageError, match="permission denied") as caught:
                await operation(store, snapshots)
            assert isinstance(caught.value.__cause__, asyncpg.InsufficientPrivilegeError)


async def test_a_user_without_rights_cannot_open_a_backend(url: str, role: str) -> None:
    netloc = f"{role}:secret@{urlsplit(url).netloc.split('@')[1]}"
    error = await refused(urlsplit(url)._replace(netloc=netloc).geturl())
    assert isinstance(error.__cause__, asyncpg.InsufficientPrivilegeError)
    assert str(error).startswith("opening the database at ")
    assert "grant the user usage on the schema 'eventsourcing'" in str(error)


def documented_grants(role: str) -> list[str]:
    """List the grants of the page about PostgreSQL: for reading the first three, then for all."""
    page = (DOCS / "reference" / "postgresql.md").read_text("utf-8")
    (block,) = re.findall(r"```sql\n(grant.*?)```", page, re.DOTALL)
    return [line.replace(" to app;", f" to {role};") for line in block.splitlines()]


async def test_a_user_who_may_only_read_reads_and_writes_nothing(
    restricted: Pool, role: str, url: str
) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, stores_on(pool) as (s, _):
        await s.append("a", [event()], expected_version=0)
    for grant in documented_grants(role)[:3]:
        await execute(url, grant)
    async with stores_on(restricted, acquire_timeout=10) as (store, snapshots):
        with pytest.raises(StorageError, match="permission denied"):
            await store.append("a", [event()], expected_version=1)
        with pytest.raises(StorageError, match="permission denied"):
            await snapshots.save(snapshot())
        assert await versions(store, "a") == [1]
        assert [e.position async for e in store.read_all(event_types=["Opened"])] == [1]
        assert [stream async for stream in store.streams()] == [("a", 1)]
        assert (await store.statistics()).events == 1
        assert await store.appenders() == []
        assert await snapshots.load("a") is None


async def test_the_documented_rights_are_enough_for_everything(
    restricted: Pool, role: str, url: str, operation: Operation
) -> None:
    for grant in documented_grants(role):
        await execute(url, grant)
    async with stores_on(restricted, acquire_timeout=10) as (store, snapshots):
        await store.append("a", [event()], expected_version=0)
        await operation(store, snapshots)
        assert (await versions(store, "a"))[0] == 1


@pytest.fixture
async def read_only(url: str, server_url: str) -> AsyncIterator[Pool]:
    """Give a pool on a database that takes no writes."""
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, stores_on(pool) as (s, _):
        await s.append("a", [event()], expected_version=0)
    name = urlsplit(url).path[1:]
    await execute(server_url, f"alter database {name} set default_transaction_read_only = on")
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        yield pool


async def test_a_database_that_is_read_only_refuses_writing(read_only: Pool) -> None:
    names = {"append", "group", "import", "save", "prune"}
    writing = [work for name, work in OPERATIONS.items() if name in names]
    async with stores_on(read_only, acquire_timeout=10) as (store, snapshots):
        for work in writing:
            with pytest.raises(StorageError, match="read-only") as caught:
                await work(store, snapshots)
            assert isinstance(caught.value.__cause__, asyncpg.ReadOnlySQLTransactionError)


async def test_a_database_that_is_read_only_is_read(read_only: Pool) -> None:
    async with stores_on(read_only, acquire_timeout=10) as (store, snapshots):
        assert await versions(store, "a") == [1]
        assert [e.position async for e in store.read_all(event_types=["Opened"])] == [1]
        assert await store.wait(after_position=0, timeout=0)
        assert await snapshots.load("a") is None


async def test_a_database_that_is_read_only_is_opened(read_only: Pool, url: str) -> None:
    del read_only  # it has made the database so
    async with open_backend(url) as backend:
        assert [e.version async for e in backend.event_store.read("a")] == [1]


async def test_a_database_that_is_read_only_is_not_migrated(read_only: Pool) -> None:
    with pytest.raises(StorageError, match="read-only"):
        await migrate(read_only, schema="other")


@pytest.fixture
def latin(url: str, server_url: str) -> Iterator[str]:
    """Give the URL of a database whose encoding does not have every character."""
    name = f"{urlsplit(url).path[1:]}_latin"
    options = "template template0 encoding 'LATIN1' locale 'C'"
    with temporary_database(server_url, name, options) as made:
        yield made


async def test_a_character_that_the_database_does_not_have_is_refused_alone(latin: str) -> None:
    async with asyncpg.create_pool(latin, min_size=1, max_size=1) as pool:
        await migrate(pool)
        async with PostgresEventStore(pool, acquire_timeout=10) as store:
            appends = [store.append(s, [event()], expected_version=0) for s in ("é", "漢", "b")]
            results = await asyncio.gather(*appends, return_exceptions=True)
            assert [isinstance(r, StorageError) for r in results] == [False, True, False]
            assert sorted([e.stream_id async for e in store.read_all()]) == ["b", "é"]


# What PostgreSQL cannot hold.


@pytest.mark.parametrize("name", ["a\0", "half \ud800"])
async def test_an_event_type_that_cannot_be_stored_is_refused(
    store: PostgresEventStore, name: str
) -> None:
    with pytest.raises(ValueError, match="control character|surrogate"):
        await store.append("a", [event(), Event(name, {})], expected_version=0)
    assert await versions(store, "a") == []


@pytest.mark.parametrize("backward", [False, True])
async def test_event_types_that_no_event_can_have_are_asked_for_in_vain(
    store: PostgresEventStore, *, backward: bool
) -> None:
    await store.append("a", [event()], expected_version=0)
    names = ["Open\0", "half \ud800", "x" * 256]
    for asked, expected in ((names, 0), ([*names, "Opened"], 1)):
        found = store.read_all(event_types=asked, backward=backward)
        assert len([e async for e in found]) == expected


@pytest.mark.parametrize("aggregate_id", ["a\0", "half \ud800"])
async def test_a_snapshot_that_cannot_be_stored_is_refused(single: Pool, aggregate_id: str) -> None:
    snapshots = PostgresSnapshotStore(single)
    with pytest.raises(ValueError, match="control character|surrogate"):
        await snapshots.save(snapshot(aggregate_id))
    with pytest.raises(ValueError, match="control character|surrogate"):
        await snapshots.load(aggregate_id)
    with pytest.raises(ValueError, match="control character|surrogate"):
        await snapshots.prune(aggregate_id, keep=1)
    assert await single.fetchval("select count(*) from eventsourcing.snapshots") == 0


async def test_the_largest_event_is_stored_whole_and_a_larger_one_refused(
    store: PostgresEventStore,
) -> None:
    largest = 16 * 1024 * 1024 - len('{"text":""}')
    await store.append("a", [Event("Opened", {"text": "x" * largest})], expected_version=0)
    with pytest.raises(SerializationError):
        await store.append(
            "a", [event(), Event("Opened", {"text": "x" * (largest + 1)})], expected_version=1
        )
    (read,) = [e async for e in store.read("a")]
    assert read.data == {"text": "x" * largest}


# Something else than what is asked for.


async def test_a_url_in_place_of_a_pool_is_refused_without_showing_it() -> None:
    url: Any = "postgresql://u:secret@host/x"
    for use in (PostgresEventStore, PostgresSnapshotStore):
        with pytest.raises(TypeError, match=r"give a pool, .*, got str; open_backend takes") as c:
            use(url)
        assert "secret" not in str(c.value)
    for work in (migrate, status):
        with pytest.raises(TypeError, match="give a pool"):
            await work(url)
    with pytest.raises(TypeError, match="give a pool"):
        await rollback(url, to=0)


async def test_a_pool_in_place_of_a_connection_is_refused(
    store: PostgresEventStore, single: Any
) -> None:
    with pytest.raises(TypeError, match="takes the connection on which .* is open, got Pool"):
        await store.append("a", [event()], expected_version=0, connection=single)


@pytest.mark.parametrize(
    "option", [{"acquire_timeout": 0.0}, {"poll_interval": -1.0}, {"max_wait": -1.0}]
)
async def test_a_time_out_of_bounds_is_refused(single: Pool, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is a number of seconds .*, got"):
        PostgresEventStore(single, **option)
    of_another_type: dict[str, Any] = dict.fromkeys(option, "1")
    with pytest.raises(TypeError, match="is a number of seconds, got '1'"):
        PostgresEventStore(single, **of_another_type)


# Parameters of the connection.


async def test_parameters_of_libpq_and_settings_of_the_server_are_taken(url: str) -> None:
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    where = f"host={parts.hostname}&port={parts.port}&target_session_attrs=any&connect_timeout=5"
    setting = "statement_timeout=54321"
    bare = f"{parts.scheme}://{user}:{parts.password or ''}@{parts.path}"
    async with open_backend(f"{bare}?{where}&{setting}", sslmode="prefer") as backend:
        store: Any = backend.event_store
        await store.append("a", [event()], expected_version=0)
        said = await storage_of(store)._database.pool.fetchval("show statement_timeout")
        assert said == "54321ms"


# Names of schemas.


@pytest.mark.parametrize(
    "schema",
    [
        'double " quote',
        "single ' quote",
        "back \\ slash",
        "dollar $ and $body$",
        "{schema}",
        "{schema_text}",
        "percent %s %% $1",
        "semicolon; drop schema x --",
        "Große Schëmata 漢字",
        "x" * 63,
        "é" * 31,
        "select",
    ],
)
async def test_a_schema_of_any_name_works(pool: Pool, url: str, schema: str) -> None:
    assert (await migrate(pool, schema=schema)).applied > 0
    async with open_backend(url, schema=schema) as backend:
        store = backend.event_store
        await store.append("a", [event()], expected_version=0)
        assert [e.position async for e in store.read_all(event_types=["Opened"])] == [1]
        await backend.snapshot_store.save(snapshot())
        assert await backend.snapshot_store.load("a") == snapshot()
    names = await pool.fetch("select nspname from pg_namespace where nspname = $1", schema)
    assert len(names) == 1


@pytest.mark.parametrize("schema", ["", "x" * 64, "é" * 32, "a\0b", "half \ud800", "a $$ b"])
async def test_a_schema_of_an_impossible_name_is_refused(pool: Pool, url: str, schema: str) -> None:
    with pytest.raises(ValueError, match="schema"):
        PostgresEventStore(pool, schema=schema)
    with pytest.raises(ValueError, match="schema"):
        PostgresSnapshotStore(pool, schema=schema)
    for work in (migrate, status):
        with pytest.raises(ValueError, match="schema"):
            await work(pool, schema=schema)
    with pytest.raises(ValueError, match="schema"):
        async with open_backend(url, schema=schema):
            pass


async def test_a_schema_name_of_the_servers_own_is_refused(pool: Pool) -> None:
    with pytest.raises(StorageError, match="pg_mine") as caught:
        await migrate(pool, schema="pg_mine")
    assert isinstance(caught.value.__cause__, asyncpg.ReservedNameError)


# An append that the server is at work on.


@asynccontextmanager
async def held(other: Connection, *stream_ids: str) -> AsyncIterator[None]:
    """Lock the rows of streams, so that appends to them wait."""
    async with other.transaction():
        rows = await other.fetch(
            "select id from eventsourcing.streams where id = any ($1) for update", stream_ids
        )
        assert len(rows) == len(stream_ids)
        yield


async def waiting_for(holder: Connection) -> int:
    """Wait until a connection waits for what another one holds, and give its process."""
    async with asyncio.timeout(10):
        while True:
            rows = await holder.fetch(
                "select pid from pg_stat_activity "
                "where pg_backend_pid() = any (pg_blocking_pids(pid))"
            )
            if rows:
                return int(rows[0][0])
            await asyncio.sleep(0.01)


async def test_a_cancelled_append_is_whole_and_its_neighbours_are_written(
    store: PostgresEventStore, url: str, other: Connection
) -> None:
    first = await asyncpg.connect(url)
    for stream_id in ("a", "first"):
        await store.append(stream_id, [event()], expected_version=0)
    cancelled_events = [event(2), event(3)]
    async with asyncio.timeout(20), held(other, "a"):
        async with held(first, "first"):
            ahead = asyncio.create_task(store.append("first", [event()], expected_version=1))
            await waiting_for(first)
            # These come while it is written, so they make one batch.
            cancelled = asyncio.create_task(store.append("a", cancelled_events, expected_version=1))
            neighbours = [
                asyncio.create_task(store.append(s, [event()], expected_version=0)) for s in "bc"
            ]
            await asyncio.sleep(0)
        await waiting_for(other)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    await first.close()
    async with asyncio.timeout(20):
        assert [(await task).version for task in (ahead, *neighbours)] == [2, 1, 1]
        assert await versions(store, "a") in ([1], [1, 2, 3])  # it was in time, or not
        again = await store.append("a", cancelled_events, expected_version=1)
        assert again.version == 3
        assert await versions(store, "a") == [1, 2, 3]


async def test_a_cancelled_append_in_the_callers_transaction_did_not_happen(
    store: PostgresEventStore, single: Pool, other: Connection
) -> None:
    await store.append("a", [event()], expected_version=0)
    async with asyncio.timeout(20), single.acquire() as mine, mine.transaction():
        await store.append("before", [event()], expected_version=0, connection=mine)
        async with held(other, "a"):
            cancelled = asyncio.create_task(
                store.append("a", [event()], expected_version=1, connection=mine)
            )
            await waiting_for(other)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
        await store.append("after", [event()], expected_version=0, connection=mine)
    async with asyncio.timeout(20):
        assert [await versions(store, s) for s in ("before", "a", "after")] == [[1], [1], [1]]


async def test_an_append_whose_server_process_is_ended_can_be_repeated(
    store: PostgresEventStore, other: Connection
) -> None:
    await store.append("a", [event()], expected_version=0)
    events = [event(2)]
    async with asyncio.timeout(20):
        async with held(other, "a"):
            ended = asyncio.create_task(store.append("a", events, expected_version=1))
            await other.fetchval("select pg_terminate_backend($1, 10000)", await waiting_for(other))
            with pytest.raises(StorageError) as caught:
                await ended
            assert caught.value.__cause__ is not None
        assert await versions(store, "a") == [1]
        assert (await store.append("a", events, expected_version=1)).version == 2


async def test_an_append_in_the_callers_transaction_whose_process_is_ended_is_a_storage_error(
    store: PostgresEventStore, single: Pool, other: Connection
) -> None:
    await store.append("a", [event()], expected_version=0)
    async with asyncio.timeout(20), single.acquire() as mine, held(other, "a"):
        transaction = mine.transaction()
        await transaction.start()
        ended = asyncio.create_task(
            store.append("a", [event()], expected_version=1, connection=mine)
        )
        await other.fetchval("select pg_terminate_backend($1, 10000)", await waiting_for(other))
        with pytest.raises(StorageError) as caught:
            await ended
        assert caught.value.__cause__ is not None
    async with asyncio.timeout(20):
        assert await versions(store, "a") == [1]


async def test_an_append_that_the_server_takes_too_long_for_can_be_repeated(
    url: str, other: Connection
) -> None:
    events = [event(2)]
    async with (
        asyncio.timeout(20),
        asyncpg.create_pool(url, min_size=1, max_size=1, command_timeout=0.5) as pool,
        PostgresEventStore(pool, acquire_timeout=10) as store,
    ):
        await store.append("a", [event()], expected_version=0)
        await other.execute("""
            create function slow() returns trigger language plpgsql
            as $$ begin perform pg_sleep(60); return new; end $$;
            create trigger slow before insert on eventsourcing.events
            for each row execute function slow();
        """)
        with pytest.raises(StorageError, match="no answer") as caught:
            await store.append("a", events, expected_version=1)
        assert isinstance(caught.value.__cause__, TimeoutError)
        await other.execute("drop function slow cascade")
        assert (await store.append("a", events, expected_version=1)).version == 2
        assert await versions(store, "a") == [1, 2]


# A connection that the caller should not have given.


async def test_a_sequence_that_is_behind_its_table_is_said(
    store: PostgresEventStore, other: Connection
) -> None:
    await store.append("a", [event(), event()], expected_version=0)
    await until_notified(store)
    await other.execute("select setval('eventsourcing.events_position', 1)")
    with pytest.raises(StorageError, match="the sequence events_position is behind") as caught:
        async with asyncio.timeout(10):
            await store.append("b", [event()], expected_version=0)
    assert isinstance(caught.value.__cause__, asyncpg.UniqueViolationError)
    assert (await store.append("b", [event()], expected_version=0)).position == 3  # it is level now


async def test_a_closed_connection_is_a_storage_error(
    store: PostgresEventStore, other: Connection
) -> None:
    await other.close()
    with pytest.raises(StorageError, match="closed"):
        await store.append("a", [event()], expected_version=0, connection=other)


async def test_a_connection_that_was_lost_is_a_storage_error(
    store: PostgresEventStore, single: Pool, other: Connection
) -> None:
    transaction = other.transaction()
    await transaction.start()
    await store.append("a", [event()], expected_version=0, connection=other)
    await single.fetchval("select pg_terminate_backend($1, 10000)", other.get_server_pid())
    with pytest.raises(StorageError):
        await store.append("a", [event()], expected_version=1, connection=other)
    assert await versions(store, "a") == []


async def test_a_connection_that_was_given_back_is_a_storage_error(
    store: PostgresEventStore, single: Pool
) -> None:
    async with single.acquire() as mine:
        pass
    with pytest.raises(StorageError, match="released"):
        await store.append("a", [event()], expected_version=0, connection=mine)
    await store.append("a", [event()], expected_version=0)


async def test_a_connection_to_another_database_says_that_the_tables_are_missing(
    store: PostgresEventStore, server_url: str
) -> None:
    stranger = await asyncpg.connect(server_url)
    try:
        async with stranger.transaction():
            with pytest.raises(SchemaError, match="run: python -m eventsourcing_postgres migrate"):
                await store.append("a", [event()], expected_version=0, connection=stranger)
            assert await stranger.fetchval("select 1") == 1  # the transaction is usable
    finally:
        await stranger.close()


async def test_a_transaction_that_has_failed_is_a_storage_error(
    store: PostgresEventStore, other: Connection
) -> None:
    transaction = other.transaction()
    await transaction.start()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await other.execute("select 1 / 0")
    with pytest.raises(StorageError, match="aborted"):
        await store.append("a", [event()], expected_version=0, connection=other)
    await transaction.rollback()
    assert await versions(store, "a") == []


async def test_a_connection_that_is_busy_is_a_storage_error(
    store: PostgresEventStore, single: Pool
) -> None:
    async with single.acquire() as mine, mine.transaction():
        busy = asyncio.create_task(mine.execute("select pg_sleep(0.2)"))
        await asyncio.sleep(0)
        with pytest.raises(StorageError, match="another operation is in progress"):
            await store.append("a", [event()], expected_version=0, connection=mine)
        await busy
