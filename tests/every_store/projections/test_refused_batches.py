"""Handlers that end the transaction, or whose rows cannot be committed: only their keys wait."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import Projection, ProjectionParkedError, RecordedEvent
from eventsourcing_core.stores import BatchRefusedError
from tests.every_store.projections._shop import (
    DEADLINE,
    CustomerOrders,
    Placed,
    append,
    opened,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Batch, Build, Move, ProjectionStore

COUNT = """
insert into applied (stream, version, times) values ('{}', {}, 1)
on conflict (stream, version) do update set times = applied.times + 1
"""
stores = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
"""Those that have tables."""


class Applied(Projection[Any]):
    """Counts how often each event is applied, and takes a name that only one may have.

    That is found out when the batch is committed; on SQLite, which has no such constraint but for
    keys to other tables, the whole transaction is undone for it at once.
    """

    name = "applied"

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.given: dict[tuple[str, int], int] = {}

    async def create(self, connection: Any) -> None:
        late = "on conflict rollback"
        if is_postgres(connection):
            late = "deferrable initially deferred"
        await connection.execute(
            "create table applied (stream text, version bigint, times bigint, "
            "primary key (stream, version))"
        )
        await connection.execute(f"create table taken (name text unique {late})")

    async def apply(self, event: RecordedEvent[Placed], connection: Any) -> None:
        await connection.execute(COUNT.format(event.stream_id, event.version))
        if not event.data.customer.startswith("bad"):
            return
        match self.fault:
            case "late":
                await connection.execute("insert into taken values ('it')")
                await connection.execute("insert into taken values ('it')")
            case "commit" | "rollback" as end if is_postgres(connection):
                await connection.execute(end)
            case "commit" | "rollback" as end:
                await getattr(connection, end)()
            case _:
                pass


def is_postgres(connection: Any) -> bool:
    return hasattr(connection, "fetchval")


async def applied(store_url: str) -> dict[tuple[str, int], int]:
    """Give how often each event was applied."""
    rows: list[Any]
    if store_url.startswith("sqlite"):
        file = f"{store_url.removeprefix('sqlite:///')}.applied-v1"
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute("select * from applied").fetchall()
    else:
        other = await asyncpg.connect(store_url)
        rows = await other.fetch("select * from applied.applied")
        await other.close()
    return {(stream, version): times for stream, version, times in rows}


@stores
@pytest.mark.parametrize("fault", ["late", "commit", "rollback"])
async def test_only_the_key_waits_whose_event_cannot_be_committed(
    store_url: str, fault: str
) -> None:
    good = {(f"o-{n % 7}", n // 7 + 1): 1 for n in range(35)}
    projection = Applied(fault)
    async with opened(store_url) as backend:
        for stream, _ in [*good][:17]:
            await append(backend, stream, Placed("ann"))
        bad = await append(backend, "bad", Placed("bad"), Placed("ann"))
        for stream, _ in [*good][17:]:
            await append(backend, stream, Placed("ann"))
        last = await backend.event_store.last_position()
        async with backend.projector([projection], attempts=2, retry_pause=0.01) as projector:
            await projector.wait_for(last, projection, timeout=DEADLINE)
            with pytest.raises(ProjectionParkedError):
                await projector.wait_for(bad, projection, timeout=DEADLINE)

            async def is_given_up() -> bool:
                return [key.is_given_up for key in await projector.parked(projection)] == [True]

            await until(is_given_up)
            (key,) = await projector.parked(projection)
            assert (key.key, key.waiting, key.attempts) == ("bad", 2, 2)
            assert await applied(store_url) == good

            projection.fault = ""
            await projector.retry(projection, "bad")

            async def is_done() -> bool:
                return not await projector.parked(projection)

            await until(is_done)
            assert await applied(store_url) == good | {("bad", 1): 1, ("bad", 2): 1}


def refusing_bad(store: ProjectionStore) -> Any:
    """Give a way to open batches that are refused in the end if there is a value for ``bad``."""
    well = store.batch

    @asynccontextmanager
    async def batch(build: Build, move: Move, *, lease: float) -> AsyncIterator[Batch]:
        async with well(build, move, lease=lease) as found:
            yield found
            if await found.values(["bad"]):
                message = "it is against the rules"
                raise BatchRefusedError(message)

    return batch


async def test_what_is_refused_in_the_end_is_found_out(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = CustomerOrders()
    view.is_broken = False
    async with opened(store_url) as backend:
        for customer in ["ann", "bob", "bad", "ann", "bad", "bob", "ann"]:
            last = await append(backend, f"o-{customer}", Placed(customer))
        with monkeypatch.context() as patched:
            store = backend.projection_store
            patched.setattr(store, "batch", refusing_bad(store))
            async with backend.projector([view], attempts=2, retry_pause=0.01) as projector:
                await projector.wait_for(last, view, timeout=DEADLINE)

                async def is_given_up() -> bool:
                    return [key.is_given_up for key in await projector.parked(view)] == [True]

                await until(is_given_up)
                (key,) = await projector.parked(view)
                assert (key.key, key.waiting, key.error) == ("bad", 2, "it is against the rules")
        found = {key: value.count async for key, value in backend.view(CustomerOrders).all()}
        assert found == {"ann": 3, "bob": 2}
