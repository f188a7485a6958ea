"""The recipe for appends inside your own transaction, as it stands on its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import Aggregate, Event, EventCodec, EventTypes, Repository, event
from eventsourcing_postgres import PostgresEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "append-in-your-transaction.md"
types = EventTypes()


@event("order.placed", event_types=types)
class Placed:
    count: int = 1


class Order(Aggregate):
    event_types = types
    placed: int = 0

    def place(self) -> None:
        self._record(Placed())

    def apply(self, event: Event[Placed]) -> None:
        self.placed += event.data.count


@pytest.fixture(scope="module")
def save_inside() -> Any:
    """Give the function of this name that the page defines; it works with any aggregate."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if "def save_inside" in block]
    names: dict[str, Any] = {"Account": Order}
    exec(block, names)  # noqa: S102 - a page of this repository
    return names["save_inside"]


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    await pool.execute("create table receipts (number text)")
    async with PostgresEventStore(pool, EventCodec(event_types=types), listen=False) as opened:
        yield opened


async def test_an_aggregate_is_saved_with_a_row_and_can_be_saved_again(
    save_inside: Any, pool: Pool, store: PostgresEventStore
) -> None:
    orders = Repository(store, Order)
    order = await orders.load("1")
    for number in (1, 2):
        order.place()
        order.place()
        async with pool.acquire() as connection:
            await save_inside(connection, store, order)
        assert order.pending_events == ()
        assert await pool.fetchval("select count(*) from receipts") == number
    order.place()
    assert (await orders.save(order)).version == 5
    assert (await orders.load("1")).placed == 5


async def test_an_aggregate_keeps_its_pending_events_when_the_transaction_is_rolled_back(
    save_inside: Any, pool: Pool, store: PostgresEventStore
) -> None:
    await pool.execute("""
        create function refuse() returns trigger language plpgsql
        as $$ begin raise 'refused at the commit'; end $$;
        create constraint trigger refused after insert on receipts deferrable initially deferred
        for each row execute function refuse();
    """)
    order = Order("1")
    order.place()
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.RaiseError):
            await save_inside(connection, store, order)
    assert len(order.pending_events) == 1
    assert (await Repository(store, Order).save(order)).version == 1
