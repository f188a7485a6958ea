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
def recipes() -> dict[str, Any]:
    """Give the functions that the page defines."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    functions: dict[str, Any] = {}
    exec("".join(blocks), functions)  # noqa: S102 - a page of this repository
    return functions


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    await pool.execute("create table orders (id integer primary key)")
    async with PostgresEventStore(pool, EventCodec(event_types=types), listen=False) as opened:
        yield opened


async def test_an_order_is_placed_with_its_row(
    recipes: dict[str, Any], pool: Pool, store: PostgresEventStore
) -> None:
    await recipes["place_order"](pool, store)
    assert await pool.fetchval("select id from orders") == 42
    assert [e.event_type async for e in store.read("order-42")] == ["Placed"]


async def test_an_aggregate_is_saved_with_a_row_and_can_be_saved_again(
    recipes: dict[str, Any], pool: Pool, store: PostgresEventStore
) -> None:
    orders = Repository(store, Order)
    order = await orders.load("1")
    for number in (1, 2):
        order.place()
        order.place()
        await recipes["save_inside"](pool, store, order, number)
        assert order.pending_events == ()
    order.place()
    assert await orders.save(order) == 5
    assert (await orders.load("1")).placed == 5


async def test_an_aggregate_keeps_its_pending_events_when_the_transaction_is_rolled_back(
    recipes: dict[str, Any], pool: Pool, store: PostgresEventStore
) -> None:
    await pool.execute("""
        create function refuse() returns trigger language plpgsql
        as $$ begin raise 'refused at the commit'; end $$;
        create constraint trigger refused after insert on orders deferrable initially deferred
        for each row execute function refuse();
    """)
    order = Order("1")
    order.place()
    with pytest.raises(asyncpg.RaiseError):
        await recipes["save_inside"](pool, store, order, 1)
    assert len(order.pending_events) == 1
    assert await Repository(store, Order).save(order) == 1
