"""Inline projections on PostgreSQL: tables and connections of the user's, raw SQL, crashes."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    InlineError,
    InlineMismatchError,
    Projection,
    RecordedEvent,
    open_backend,
)
from eventsourcing_core.stores import StorageError
from eventsourcing_postgres import migrate, rollback
from tests.every_store.projections._counts import (
    Counted,
    Counts,
    Last,
    count,
    counts_of,
    opened,
    true_counts,
    types,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg.pool import Pool as PoolOf

    from eventsourcing_core import Backend

    Pool = PoolOf[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

_INSERT = """
insert into eventsourcing.events
    (position, stream_id, version, event_id, event_type, data, encoding, "timestamp")
select nextval('eventsourcing.events_position'), 'raw', 1, gen_random_uuid(), 'counted', '{}',
    'json', 0
"""


class Tally(Projection["Connection"]):
    """Counts in a table of its own."""

    name = "my-tally"

    async def create(self, connection: Connection) -> None:
        await connection.execute("create table tally (key text primary key, n bigint not null)")

    async def apply(self, event: RecordedEvent[Counted], connection: Connection) -> None:
        async with connection.transaction():
            for key in sorted(event.data.keys):
                await connection.execute(
                    "insert into tally values ($1, $2) "
                    "on conflict (key) do update set n = tally.n + excluded.n",
                    key,
                    event.data.by,
                )


def tally(url: str) -> Any:
    """Open a backend with a view and a projection."""
    return open_backend(url, event_types=types, inline=[Tally(), Counts()])


async def tallied(pool: Pool) -> dict[str, int]:
    """Give what the projection has."""
    rows = await pool.fetch("select key, n from my_tally.tally")
    return {row["key"]: row["n"] for row in rows}


async def test_tables_of_the_user_are_written_with_the_events(url: str, pool: Pool) -> None:
    async with tally(url) as backend:
        await asyncio.gather(*(count(backend, f"s-{n}", "all", f"k-{n % 3}") for n in range(50)))
        with pytest.raises(InlineError):
            await count(backend, "bad", "new", by=-1)
        assert await tallied(pool) == await counts_of(backend) == await true_counts(backend)


async def test_a_transaction_keeps_its_search_path(url: str, pool: Pool) -> None:
    await pool.execute("create table tally (key text)")
    async with tally(url) as backend:
        async with backend.transaction() as transaction:
            await transaction.append("a", [Counted(["x"])], expected_version=0)
            await transaction.connection.execute("insert into tally values ('mine')")
        assert await pool.fetchval("select key from tally") == "mine"
        assert await tallied(pool) == {"x": 1}


async def test_on_a_connection_of_the_users_it_is_part_of_his_transaction(
    url: str, pool: Pool
) -> None:
    async with tally(url) as backend, pool.acquire() as connection:
        store = backend.event_store
        async with connection.transaction():
            await store.append("a", [Counted(["x"])], expected_version=0, connection=connection)
            with pytest.raises(InlineError):
                await store.append(
                    "b", [Counted(["x"], -5)], expected_version=0, connection=connection
                )
        outer = connection.transaction()
        await outer.start()
        await store.append("c", [Counted(["x"])], expected_version=0, connection=connection)
        await outer.rollback()
        assert await counts_of(backend) == await tallied(pool) == {"x": 1}


async def test_raw_sql_and_older_programs_are_refused(url: str, pool: Pool) -> None:
    async with opened(url, Counts()) as backend:
        with pytest.raises(asyncpg.PostgresError, match="would be missing") as caught:
            await pool.execute(_INSERT)
        assert caught.value.sqlstate == "ESI01"
        await backend.projections.make_async(Counts)
        await pool.execute(_INSERT)


async def test_without_an_inline_set_there_is_no_trigger(url: str, pool: Pool) -> None:
    triggers = "select count(*) from pg_trigger where tgname = 'events_inline'"
    async with opened(url) as backend:
        await count(backend, "a", "x")
    assert await pool.fetchval(triggers) == 0
    async with opened(url, Counts()):
        assert await pool.fetchval(triggers) == 1


async def test_a_process_goes_on_with_what_the_store_wants_now(url: str) -> None:
    async with tally(url) as both:
        await count(both, "a", "x")
        await both.projections.make_async("counts")
        await count(both, "b", "x")
        assert await counts_of(both) == {"x": 1}
        async with opened(url) as neither:
            with pytest.raises(InlineMismatchError) as caught:
                await count(neither, "c", "x")
        assert caught.value.wanted == "my-tally:1"
        async with opened(url, Counts()) as one:  # it makes that inline again
            with pytest.raises(InlineMismatchError) as caught:
                await count(one, "c", "x")
        assert caught.value.wanted == "counts:1, my-tally:1"
        await count(both, "c", "x")
        assert await counts_of(both) == {"x": 3}


async def test_a_process_goes_on_when_what_was_inline_is_dropped(url: str) -> None:
    async with opened(url, Last()) as backend, opened(url) as other:
        await count(backend, "a", "x")
        await other.projections.make_async("last")
        await other.projections.drop("last", 1)
        await count(backend, "a", "y")
        assert await backend.event_store.stream_version("a") == 2


async def test_a_deadlock_of_transactions_ends_one_of_them(url: str) -> None:
    async with opened(url, Counts()) as backend:
        await count(backend, "start", "x", "y")
        met = asyncio.Barrier(2)

        async def cross(first: str, second: str) -> None:
            async with backend.transaction() as transaction:
                await transaction.append(first, [Counted([first])], expected_version=0)
                await met.wait()
                await transaction.append(f"{second}2", [Counted([second])], expected_version=0)

        results = await asyncio.gather(cross("x", "y"), cross("y", "x"), return_exceptions=True)
        failed = [each for each in results if each is not None]
        assert len(failed) == 1
        assert isinstance(failed[0], StorageError)
        assert await counts_of(backend) == await true_counts(backend)


async def test_an_open_transaction_that_appended_is_waited_for(url: str) -> None:
    async with opened(url) as plain:
        async with plain.transaction() as transaction:
            await transaction.append("a", [Counted(["x"])], expected_version=0)
            opening = asyncio.create_task(_counts_with_inline(url))
            await asyncio.wait({opening}, timeout=0.6)
            assert not opening.done()
            await asyncio.wait_for(count(plain, "b", "x"), 20)  # others go on meanwhile
        assert await asyncio.wait_for(opening, 30) == {"x": 2}


async def _counts_with_inline(url: str) -> dict[str, int]:
    async with opened(url, Counts()) as backend:
        return await counts_of(backend)


async def test_it_is_taken_back_only_when_nothing_is_inline(url: str, pool: Pool) -> None:
    async with opened(url, Counts()) as backend:
        with pytest.raises(StorageError, match="still has inline projections"):
            await rollback(pool, to=5)
        await backend.projections.make_async(Counts)
    await rollback(pool, to=5)
    await migrate(pool)


_KILLED = """
import asyncio, os, sys
from tests.every_store.projections._counts import Counted, Counts, count, opened

async def main():
    async with opened(sys.argv[1], Counts()) as backend:
        print("ready", flush=True)
        number = 0
        async def one(n):
            nonlocal number
            while True:
                number += 1
                await count(backend, f"s-{os.getpid()}-{number}", "all", f"k-{number % 7}")
        await asyncio.gather(*map(one, range(16)))

asyncio.run(main())
"""


async def test_a_kill_leaves_event_and_value_or_neither(url: str) -> None:
    async with opened(url, Counts()) as backend:
        for _ in range(4):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _KILLED, url, stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 60)
            before = await backend.view(Counts).get("all") or 0
            await _until(lambda: _has_grown(backend, before + 50))  # noqa: B023 - it ends here
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await _until(lambda: _is_right(backend))  # the server ends what the killed ones left open
        await count(backend, "after", "all")
        assert await counts_of(backend) == await true_counts(backend)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - another process's work has no event
            await asyncio.sleep(0.02)


async def _has_grown(backend: Backend, to: int) -> bool:
    return (await backend.view(Counts).get("all") or 0) >= to


async def _is_right(backend: Backend) -> bool:
    return await counts_of(backend) == await true_counts(backend)


class Ending(Tally):
    """Ends the transaction with the event that has a statement among its keys."""

    is_swallowed = False

    async def apply(self, event: RecordedEvent[Counted], connection: Connection) -> None:
        first, *others = event.data.keys
        await connection.execute("insert into tally values ($1, 1)", first)
        errors = (asyncpg.PostgresError, asyncpg.InterfaceError) if self.is_swallowed else ()
        for key in others:
            with suppress(*errors):
                await connection.execute(key)
        with suppress(*errors):
            await connection.execute("insert into tally values ($1, 1)", f"{first} again")


ENDS = ["commit", "commit; begin", "commit and chain", "prepare transaction 'x'", "rollback"]


@pytest.mark.parametrize("is_swallowed", [True, False])
@pytest.mark.parametrize("end", [*ENDS, "rollback; begin", "rollback and chain"])
async def test_only_the_append_ends_its_transaction(
    url: str, pool: Pool, end: str, *, is_swallowed: bool
) -> None:
    ending = Ending()
    ending.is_swallowed = is_swallowed
    async with open_backend(url, event_types=types, inline=[ending, Counts()]) as backend:
        results = await asyncio.gather(
            *(count(backend, key, key, *([end] if key == "b" else [])) for key in "abcd"),
            return_exceptions=True,
        )
        assert [type(each) for each in results if isinstance(each, Exception)] == [InlineError]
        with pytest.raises(StorageError):
            async with backend.transaction() as transaction:
                await transaction.append("e", [Counted(["e", end])], expected_version=0)
        await count(backend, "f", "f")  # nothing of that is left
        expected = dict.fromkeys("acdf", 1)
        assert await counts_of(backend) == await true_counts(backend) == expected
        assert await tallied(pool) == {k: 1 for key in expected for k in (key, f"{key} again")}


async def test_an_inline_handler_can_check_constraints_before_the_end(url: str, pool: Pool) -> None:
    check = "set constraints all immediate"
    async with open_backend(url, event_types=types, inline=[Ending()]) as backend:
        await count(backend, "a", "a", check, "set constraints all deferred", check)
        with pytest.raises(InlineError):
            await count(backend, "b", "b", check, "commit")
        async with backend.transaction() as transaction:
            await transaction.append("c", [Counted(["c"])], expected_version=0)
            await transaction.connection.execute(check)
        assert await tallied(pool) == dict.fromkeys(["a", "a again", "c", "c again"], 1)
