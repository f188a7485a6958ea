"""What is confirmed is on the standby, however it is stored, and however often that is repeated."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import Event
from eventsourcing_core.stores import OutageError
from tests.eventsourcing_postgres.failover._pair import DEADLINE, until, waiting
from tests.eventsourcing_postgres.failover._ways import (
    WAYS,
    append_in_a_transaction_of_the_callers,
    lone_append,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core import Backend
    from tests.eventsourcing_postgres.failover._pair import Connection, Pair
    from tests.eventsourcing_postgres.failover._ways import Way

    MakeWay = Callable[[Backend, str], Way]

COUNT = "select count(*) from eventsourcing.events where strpos(stream_id, $1) in (1, 5)"  # "Inn-…"
COMMITS = "select pid, xact_start from pg_stat_activity where wait_event = 'SyncRep'"
SLEEPS = "select wait_event = 'PgSleep' from pg_stat_activity where pid = $1"
CANCEL, TERMINATE = "select pg_cancel_backend($1)", "select pg_terminate_backend($1)"
every_way = pytest.mark.parametrize("make", [pytest.param(way, id=way.__name__) for way in WAYS])
# Whoever commits by himself gets the warning himself.
every_way_of_ours = pytest.mark.parametrize(
    "make",
    [
        pytest.param(way, id=way.__name__)
        for way in WAYS
        if way is not append_in_a_transaction_of_the_callers
    ],
)


PROGRAM = """
import asyncio, sys
from uuid import UUID
from eventsourcing_core import Event, open_backend

async def main(url, stream_id, event_id):
    async with open_backend(url) as backend:
        event = Event("Placed", {}, event_id=UUID(event_id))
        await backend.event_store.append(stream_id, [event], expected_version=0)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Give a name that the streams of no other test have."""
    return str(request.node.name)


async def is_waiting(task: asyncio.Future[Any], admin: Connection) -> bool:
    """Tell whether a task waits for the standby; else it has failed. It may not be confirmed."""

    async def is_decided() -> bool:
        return task.done() or bool(await waiting(admin))

    await until(is_decided)
    if not task.done():
        return True
    with pytest.raises((OutageError, asyncpg.PostgresConnectionError)):
        await task
    return False


async def begun(way: Way, admin: Connection) -> asyncio.Future[object]:
    """Begin to store, until the commit waits for the standby."""
    task = asyncio.ensure_future(way())
    assert await is_waiting(task, admin)
    return task


async def give_up(admin: Connection, name: str, how: str) -> None:
    """Let the server give up waiting, so that all see what no standby has."""
    commits = [tuple(row) for row in await admin.fetch(COMMITS)]
    for pid, _ in commits:
        assert await admin.fetchval(how, pid)

    async def have_ended() -> bool:
        return {*commits}.isdisjoint([tuple(row) for row in await admin.fetch(COMMITS)])

    await until(have_ended)
    await until(lambda: admin.fetchval(COUNT, name))


async def ended(task: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(DEADLINE):
        await task


async def stored_on_standby(pair: Pair, name: str) -> int:
    connection = await asyncpg.connect(pair.standby.url())
    try:
        return int(await connection.fetchval(COUNT, name))
    finally:
        await connection.close()


@every_way
async def test_a_repetition_waits_for_the_standby(
    pair: Pair, backend: Backend, name: str, make: MakeWay
) -> None:
    way = make(backend, name)
    async with pair.without_standby() as admin:
        task = await begun(way, admin)
        await give_up(admin, name, TERMINATE)
        if not await is_waiting(task, admin):
            task = await begun(way, admin)
    await ended(task)
    assert await stored_on_standby(pair, name)


async def test_a_repetition_in_another_process_waits_for_the_standby(
    pair: Pair, backend: Backend, name: str
) -> None:
    event = Event[object]("Placed", {})
    async with pair.without_standby() as admin:
        task = await begun(
            lambda: backend.event_store.append(name, [event], expected_version=0), admin
        )
        await give_up(admin, name, TERMINATE)
        assert not await is_waiting(task, admin)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, pair.url, name, str(event.event_id))
        )
        ending = asyncio.ensure_future(process.wait())
        assert await is_waiting(ending, admin)
    await ended(ending)
    assert ending.result() == 0
    assert await stored_on_standby(pair, name)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
@every_way_of_ours
async def test_a_commit_that_the_server_gave_up_to_wait_for_is_no_confirmation(
    pair: Pair, backend: Backend, name: str, make: MakeWay, *, is_first: bool
) -> None:
    way = make(backend, name)
    if not is_first:  # then it is known that a standby is waited for
        await lone_append(backend, f"before {name}")()
    async with pair.without_standby() as admin:
        task = await begun(way, admin)
        await give_up(admin, name, CANCEL)
        if not await is_waiting(task, admin):
            with pytest.raises(OutageError, match="standby"):
                await task
            task = await begun(way, admin)
    await ended(task)


@every_way_of_ours
async def test_a_repetition_that_the_server_gave_up_to_wait_for_is_no_confirmation(
    pair: Pair, backend: Backend, name: str, make: MakeWay
) -> None:
    way = make(backend, name)
    async with pair.without_standby() as admin:
        task = await begun(way, admin)
        for how in (TERMINATE, CANCEL):
            await give_up(admin, name, how)
            if not await is_waiting(task, admin):
                task = await begun(way, admin)
    await ended(task)
    assert await stored_on_standby(pair, name)


@every_way_of_ours
async def test_what_its_caller_gives_up_is_not_given_up_in_the_server(
    pair: Pair, backend: Backend, name: str, make: MakeWay
) -> None:
    way = make(backend, name)
    async with pair.without_standby() as admin:
        task = await begun(way, admin)
        pids = await waiting(admin)
        task.cancel()
        await asyncio.wait({task})
        await cancel_something_else(pair, admin)
        assert await waiting(admin) == pids
        assert not await admin.fetchval(COUNT, name)
    await until(lambda: stored_on_standby(pair, name))


async def cancel_something_else(pair: Pair, admin: Connection) -> None:
    """Cancel a statement; when that is done, a cancellation that was sent earlier is, too."""
    async with pair.connected() as connection:
        sleeping = asyncio.ensure_future(connection.execute("select pg_sleep(3600)"))
        await until(lambda: admin.fetchval(SLEEPS, connection.get_server_pid()))
        sleeping.cancel()
        await asyncio.wait({sleeping})
        await until(lambda: is_free(admin, connection))


async def is_free(admin: Connection, connection: Connection) -> bool:
    return not await admin.fetchval(SLEEPS, connection.get_server_pid())
