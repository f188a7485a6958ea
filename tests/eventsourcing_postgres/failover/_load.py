"""Failovers under load: clients work; the standby is cut off, comes back, or takes over."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from eventsourcing_core import open_backend
from tests.eventsourcing_postgres.failover._aggregate import types
from tests.eventsourcing_postgres.failover._clients import (
    Confirmed,
    PositionReader,
    Reader,
    Shift,
    TrustingWriter,
    Writer,
)
from tests.eventsourcing_postgres.failover._pair import DEADLINE, until, waiting

if TYPE_CHECKING:
    from uuid import UUID

    from tests.eventsourcing_postgres.failover._pair import Connection, Pair

WRITERS = 6
TRUSTING = 3
EVENTS = """
select position, event_id, stream_id, version, event_type from eventsourcing.events
order by position
"""
REPLAYED = "select pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()"
TOP = "select coalesce(max(position), 0) from eventsourcing.events"
IS_CALM = "select not exists (select from eventsourcing.floors)"
ABOVE = """
select pid from pg_stat_activity left join eventsourcing.floors using (pid)
where wait_event = 'SyncRep' and coalesce(floor, $1) >= $1
"""
GIVE_UP = ("select pg_cancel_backend($1)", "select pg_terminate_backend($1)")


class Outcome(NamedTuple):
    """What came of it."""

    failovers: int
    stops: int
    """How many commits the server gave up to wait for."""
    confirmed: list[Confirmed]
    trusted: list[Confirmed]
    """What the trusting writers took for confirmed."""
    refused: list[str]
    given_up: int
    there: set[tuple[str, int, UUID]]
    """Stream, version and id of all events in the end."""
    truth: dict[str, list[tuple[int, UUID]]]
    """For each reader what it must have been given: positions and ids."""
    delivered: dict[str, list[tuple[int, UUID]]]
    told: dict[str, int]


class Weather:
    """What befalls the pair while the clients work.

    Args:
        pair: The servers.
        name: What its choices follow from.
        shift: When the writers work.
    """

    def __init__(self, pair: Pair, name: str, shift: Shift) -> None:
        self._pair = pair
        self._shift = shift
        self._random = Random(name)  # noqa: S311 - no secret
        self.failovers = 0
        self.stops = 0

    async def rage(self, seconds: float) -> None:
        """Cut the standby off, let commits be given up, promote it or not; again and again."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await asyncio.sleep(self._random.uniform(0.05, 0.3))
            is_promoted = self._random.random() < 0.7
            if self._random.random() < 0.5:  # else what is under way now hides from readers
                await self._calm()  # what comes after it
            async with self._pair.without_standby() as admin:
                self._shift.may_begin.set()
                top = await self._top_of_standby()
                for _ in range(self._random.randrange(1, 6)):
                    await until(lambda: waiting(admin))
                    await asyncio.sleep(self._random.uniform(0, 0.1))
                    await self._stop_some(admin, top)
                if is_promoted:
                    await self._pair.fail_over()
            if is_promoted:
                self.failovers += 1
                await self._pair.restore()
            await self._pair.get_in_step()

    async def _calm(self) -> None:
        """Let nobody begin anything, and wait until nothing is under way."""
        self._shift.may_begin.clear()
        async with self._pair.connected() as connection:
            await until(lambda: connection.fetchval(IS_CALM))

    async def _top_of_standby(self) -> int:
        """Give the last position that the standby has, now that nothing comes any more."""
        connection = await asyncpg.connect(self._pair.standby.url())
        try:
            await until(lambda: connection.fetchval(REPLAYED))
            return int(await connection.fetchval(TOP))
        finally:
            await connection.close()

    async def _stop_some(self, admin: Connection, top: int) -> None:
        """Let the server give up some of the commits that wait, so that all see them.

        Only of events above all that the standby has. Where one below is shown and then lost, the
        event of a follower's checkpoint is still there, and tells nothing: the page that describes
        synchronous standbys says so.
        """
        for row in await admin.fetch(ABOVE, top):
            if self._random.random() < 0.6:
                await admin.fetchval(self._random.choice(GIVE_UP), row["pid"])
                self.stops += 1


class Clients(NamedTuple):
    """Who works meanwhile."""

    writers: list[Writer]
    trusting: list[TrustingWriter]
    readers: dict[str, Reader]
    shift: Shift


async def begun(stack: AsyncExitStack, pair: Pair, name: str) -> Clients:
    """Give clients on backends that the stack closes."""
    first, second, third = [
        await stack.enter_async_context(
            open_backend(pair.url, event_types=types, migrate=True, max_size=4, answer_timeout=2.0)
        )
        for _ in range(3)
    ]
    pool = await stack.enter_async_context(asyncpg.create_pool(pair.url, min_size=0))
    shift = Shift()
    store = third.event_store
    return Clients(
        [Writer((first, second)[n % 2], f"{name}-w{n}", shift) for n in range(WRITERS)],
        [TrustingWriter(second, f"{name}-t{n}", shift, pool) for n in range(TRUSTING)],
        {
            "of all": Reader(store),
            "of one event type": Reader(store, event_types=["opened"]),
            "of one prefix": Reader(store, stream_prefix=f"{name}-w1"),
            "by position": PositionReader(store),
        },
        shift,
    )


async def run(pair: Pair, seconds: float, name: str) -> Outcome:
    """Let clients work in bad weather, and then come to their end."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        clients = await begun(stack, pair, name)
        writers, trusting, readers, shift = clients
        following = [tasks.create_task(reader.work()) for reader in readers.values()]
        writing = [tasks.create_task(each.work()) for each in (*writers, *trusting)]
        weather = Weather(pair, name, shift)
        try:
            await weather.rage(seconds)
            shift.end()
            await asyncio.gather(*writing)
            async with pair.connected() as connection:
                rows = await connection.fetch(EVENTS)
            await arrived([*readers.values()], rows[-1]["position"])
        finally:
            shift.end()
            for task in following:
                task.cancel()
    return outcome_of(clients, weather, rows, f"{name}-w1")


def outcome_of(
    clients: Clients, weather: Weather, rows: list[asyncpg.Record], prefix: str
) -> Outcome:
    return Outcome(
        failovers=weather.failovers,
        stops=weather.stops,
        confirmed=[each for writer in clients.writers for each in writer.confirmed],
        trusted=[each for writer in clients.trusting for each in writer.confirmed],
        refused=[each for writer in clients.writers for each in writer.refused],
        given_up=sum(writer.given_up for writer in clients.writers),
        there={(row["stream_id"], row["version"], row["event_id"]) for row in rows},
        truth={
            "of all": [row[:2] for row in rows],
            "of one event type": [row[:2] for row in rows if row["event_type"] == "opened"],
            "of one prefix": [row[:2] for row in rows if row["stream_id"].startswith(prefix)],
            "by position": [row[:2] for row in rows],
        },
        delivered={key: reader.delivered for key, reader in clients.readers.items()},
        told={key: reader.told for key, reader in clients.readers.items()},
    )


async def arrived(readers: list[Reader], position: int) -> None:
    """Wait until readers have come to a position."""

    async def have_arrived() -> bool:
        return all(reader.seen_to >= position for reader in readers)

    with suppress(TimeoutError):  # the tests say which has not
        async with asyncio.timeout(DEADLINE):
            await until(have_arrived)
