"""Reading views: one build from the first page to the last, and by an index where there is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import ProjectionError
from eventsourcing_postgres._projections import _views
from eventsourcing_postgres._projections._own_schemas import field_condition, view_statement
from tests.eventsourcing_postgres.projections._builds import (
    LEASE,
    ORDERS,
    make_tables,
    make_view,
    put,
    take_all,
)

if TYPE_CHECKING:
    import asyncpg

    from eventsourcing_core.stores import ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]

SECOND = ORDERS._replace(version=2)


async def keys_of(store: ProjectionStore, **where: str) -> list[str]:
    pages = [page async for page in store.live_pages(ORDERS.name, where)]
    return [key for page in pages for key, _ in page]


async def test_all_values_come_by_key(
    store: ProjectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_views, "PAGE", 3)
    await make_view(store)
    keys = ["a", "B", "ä", "漢", "\U0001f389", "z", "\uffff", "0", "zz"]
    await put(store, ORDERS, 1, **dict.fromkeys(keys, "null"))
    pages = [page async for page in store.live_pages(ORDERS.name, {})]
    assert [pair for page in pages for pair in page] == [(key, "null") for key in sorted(keys)]
    assert [len(page) for page in pages] == [3, 3, 3]


async def test_a_view_without_values_has_no_pages(store: ProjectionStore) -> None:
    await make_view(store)
    assert await keys_of(store) == []


async def test_values_that_have_all_fields_come(store: ProjectionStore) -> None:
    await make_view(store, indexes=("status", "it's \\ {view}"))
    values = {
        "a": {"status": "open", "it's \\ {view}": 1},
        "b": {"status": "open", "it's \\ {view}": None},
        "c": {"it's \\ {view}": 1},
        "d": ["status"],
        "e": {"status": "shut", "it's \\ {view}": 1.0},
    }
    await put(store, ORDERS, 1, **{key: json.dumps(value) for key, value in values.items()})
    assert await keys_of(store, status='"open"') == ["a", "b"]
    assert await keys_of(store, **{"it's \\ {view}": "1"}) == ["a", "c", "e"]
    assert await keys_of(store, **{"status": '"open"', "it's \\ {view}": "null"}) == ["b"]


async def test_an_index_finds_values_by_a_field_in_the_order_of_keys(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store, indexes=("status",))
    await pool.execute("""
        insert into customer_orders.view
        select 'key ' || n, jsonb_build_object('status', case when n % 100 = 0 then 'open' end)
        from generate_series(1, 20000) as n
    """)
    await pool.execute("analyze customer_orders.view")
    sql = view_statement(
        "live_page", "eventsourcing", "customer_orders", field_condition("status", 4)
    )
    plan = await pool.fetch(f"explain {sql}", ORDERS.name, "key 5", 500, '"open"')
    lines = "\n".join(row[0] for row in plan)
    assert "using view_jsonb_hash_extended_key_idx on view" in lines
    assert len(await keys_of(store, status='"open"')) == 200


async def test_an_index_of_an_earlier_release_is_used(store: ProjectionStore, pool: Pool) -> None:
    await make_view(store)
    await pool.execute("""
        create index old on customer_orders.view ((value -> 'status'), key);
        insert into customer_orders.view
        select 'key ' || n, jsonb_build_object('status', case when n % 100 = 0 then 'open' end)
        from generate_series(1, 20000) as n;
        analyze customer_orders.view
    """)
    sql = view_statement(
        "live_page", "eventsourcing", "customer_orders", field_condition("status", 4)
    )
    plan = await pool.fetch(f"explain {sql}", ORDERS.name, "key 5", 500, '"open"')
    assert "using old on view" in "\n".join(row[0] for row in plan)


@pytest.mark.parametrize("is_dropped", [False, True], ids=["retired", "dropped"])
async def test_reading_goes_on_with_the_build_it_began_with(
    store: ProjectionStore, monkeypatch: pytest.MonkeyPatch, *, is_dropped: bool
) -> None:
    monkeypatch.setattr(_views, "PAGE", 2)
    for build, keys in ((ORDERS, "abcd"), (SECOND, "abc")):
        await make_view(store, build)
        await put(store, build, 1, **dict.fromkeys(keys, f"{build.version}"))
    pages = store.live_pages(ORDERS.name, {})
    assert await anext(pages) == [("a", "1"), ("b", "1")]
    await store.begin_switch(ORDERS, seconds=LEASE)
    assert await store.finish_switch(SECOND, copy_progress=False)
    if is_dropped:
        await store.drop(ORDERS)
        with pytest.raises(ProjectionError, match="version 1, is not registered"):
            await anext(pages)
    else:
        assert [page async for page in pages] == [[("c", "1"), ("d", "1")]]
    assert await keys_of(store) == ["a", "b", "c"]


async def test_what_is_no_view_here_says_so(store: ProjectionStore, pool: Pool) -> None:
    await make_tables(store)
    await pool.execute("create schema strange")
    await pool.execute("create table strange.view (key text, value jsonb)")
    for name in ("unknown", "strange", "balances"):
        with pytest.raises(ProjectionError, match="is not registered"):
            await store.live_values(name, ["a"])
        if name != "balances":
            with pytest.raises(ProjectionError, match="is not registered"):
                await anext(store.live_pages(name, {}))
    assert await take_all(store, (await store.builds())[0].spec.build)
