"""Who writes meanwhile, and who reads."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core import Event, ExpectedVersion, StorageError
from eventsourcing_core.stores import OutageError
from tests.projections_under_load._events import ACCOUNTS, STREAMS, Moved, Noted, all_keys, types
from tests.projections_under_load._histories import Reading
from tests.projections_under_load._places import reading_of
from tests.projections_under_load._waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from eventsourcing_core import AppendResult, Backend, View
    from tests.projections_under_load._places import Place
    from tests.projections_under_load._projections import Count

DOWN = (
    OutageError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What readers meet while there is no server."""
PAUSE = 0.02  # seconds before something is repeated
LONGEST = 0.2  # seconds between two appends of a writer


class Writer:
    """Appends to streams that all writers share, and repeats what was not confirmed.

    Args:
        backend: Where to.
        name: What its choices follow from.
        is_over: When it stops.
        may_go_on: While this is not set, it rests.
    """

    def __init__(
        self, backend: Backend, name: str, is_over: asyncio.Event, may_go_on: asyncio.Event
    ) -> None:
        self._store = backend.event_store
        self._random = Random(name)  # noqa: S311 - no secret
        self._is_over = is_over
        self._may_go_on = may_go_on

    async def work(self) -> None:
        """Append one thing after the other."""
        while not self._is_over.is_set():
            events = [self._event() for _ in range(self._random.choice((1, 1, 1, 2, 9)))]
            await self._insist(f"stream-{self._random.randrange(STREAMS)}", events)
            await asyncio.sleep(self._random.uniform(0, LONGEST))

    def _event(self) -> Event[object]:
        random = self._random
        if random.random() < 0.2:
            return Event.of(Noted("nobody reads this"), event_types=types)
        account = f"account-{random.randrange(ACCOUNTS)}" if random.random() < 0.7 else None
        other = f"account-{random.randrange(ACCOUNTS)}" if random.random() < 0.3 else None
        return Event.of(
            Moved(random.randrange(1000), account, None if other == account else other),
            event_types=types,
        )

    async def _insist(self, stream_id: str, events: list[Event[object]]) -> AppendResult:
        await self._may_go_on.wait()
        while True:
            try:
                return await self._store.append(
                    stream_id, events, expected_version=ExpectedVersion.ANY
                )
            except StorageError:
                await asyncio.sleep(PAUSE)


class Waiter(Writer):
    """Waits for each of its events, and then looks whether the view has it.

    Args:
        backend: Where to.
        name: What its choices follow from.
        is_over: When it stops.
        may_go_on: While this is not set, it rests.
        view: The class of the view.
    """

    def __init__(
        self,
        backend: Backend,
        name: str,
        is_over: asyncio.Event,
        may_go_on: asyncio.Event,
        view: type[View[Count]],
    ) -> None:
        super().__init__(backend, name, is_over, may_go_on)
        self._projections = backend.projections
        self._view = backend.view(view)
        self.waited = 0
        """How often it has waited."""
        self.early: list[str] = []
        """What was not there afterwards."""

    async def work(self) -> None:
        """Write one event after the other, and look at it."""
        while not self._is_over.is_set():
            stream_id = f"stream-{self._random.randrange(STREAMS)}"
            event = Event.of(Moved(1), event_types=types)
            position = (await self._insist(stream_id, [event])).position
            with suppress(StorageError):
                await self._projections.wait_for(position, "tally", timeout=DEADLINE)
                value = await self._view.get(stream_id)
                self.waited += 1
                if value is None or value.last < position:
                    self.early.append(f"{value} after {position} of {stream_id}")


class Reader:
    """Reads the live builds over and over, as anybody does.

    Args:
        backend: Where the view lives.
        view: Its class.
        place: Where the ledger lives.
    """

    def __init__(self, backend: Backend, view: type[View[Count]], place: Place) -> None:
        self._view = backend.view(view)
        self._place = place
        self.readings: dict[str, list[Reading]] = {"get_many": [], "all": [], "sql": []}
        """What each way of reading gave."""
        self.errors: list[str] = []
        """What it met, outages left out."""

    async def work(self) -> None:
        """Read in every way, each on its own."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read("get_many", self._get_many))
            tasks.create_task(self._read("all", self._all))
            tasks.create_task(self._insist("sql", self._read_sql))

    async def _read(self, way: str, read: Callable[[], Awaitable[Reading]]) -> None:
        async def read_on() -> None:
            while True:
                self.readings[way].append(await read())
                await asyncio.sleep(PAUSE)

        await self._insist(way, read_on)

    async def _read_sql(self) -> None:
        """Read on one connection, as long as it lasts."""
        async with self._place.connected() as ask:
            while True:
                self.readings["sql"].append(await reading_of(ask))
                await asyncio.sleep(PAUSE)

    async def _insist(self, way: str, read_on: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await read_on()
            except DOWN:
                pass
            except Exception as error:  # noqa: BLE001 - the test says that there is none
                self.errors.append(f"{way}: {error!r}")
            await asyncio.sleep(PAUSE)

    async def _get_many(self) -> Reading:
        return seen(await self._view.get_many(all_keys()))

    async def _all(self) -> Reading:
        return seen({key: value async for key, value in self._view.all()})


def seen(values: Mapping[str, Count]) -> Reading:
    """Say what values tell."""
    return Reading(
        frozenset(value.build for value in values.values()),
        {key: value.events for key, value in values.items()},
    )
