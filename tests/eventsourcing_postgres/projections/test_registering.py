"""Registering: one build, once, in a schema of its own; or an error that says what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest

from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    BuildState,
    ProjectionError,
    ProjectionKind,
    StorageError,
)
from eventsourcing_postgres import rollback
from tests.eventsourcing_postgres._databases import RUN, execute, run_apart
from tests.eventsourcing_postgres.projections._builds import (
    BALANCES,
    ORDERS,
    START,
    make_tables,
    make_view,
    opened,
    register_projection,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core.stores import ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

SCHEMAS = """
select nspname from pg_namespace
where nspname !~ '^pg_' and nspname not in ('information_schema', 'public', 'eventsourcing')
order by 1
"""


async def schemas(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch(SCHEMAS)]


async def test_the_first_version_is_live_and_later_ones_are_beside_it(
    store: ProjectionStore, pool: Pool
) -> None:
    first = await make_view(store, segments=3, indexes=("status",))
    later = await make_view(store, ORDERS._replace(version=3))
    assert (first.state, later.state) == (BuildState.LIVE, BuildState.BUILDING)
    assert await store.builds() == [first, later]
    assert await schemas(pool) == ["customer_orders", "customer_orders_v3"]
    assert [(each.low, each.high) for each in (await store.arrangement(ORDERS)).segments] == [
        (0, 21844),
        (21845, 43689),
        (43690, 65535),
    ]


async def test_a_reactor_has_no_schema(store: ProjectionStore, pool: Pool) -> None:
    spec = BuildSpec(Build("mailer", 1), ProjectionKind.REACTOR, "Mailer")
    await store.register(spec, segments=1, start=START, create=None)
    assert await schemas(pool) == []


async def test_processes_that_register_at_once_make_it_once(url: str) -> None:
    made = 0

    async def create(connection: Connection) -> None:
        nonlocal made
        made += 1
        await connection.execute("create table balance (account text)")

    async with opened(url) as one, opened(url) as other:
        found = await asyncio.gather(
            *(register_projection(store, BALANCES, create) for store in (one, other) * 5)
        )
    assert (len(set(found)), made) == (1, 1)


async def test_tables_are_made_in_the_schema_of_the_build(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_tables(store)
    await make_tables(store, BALANCES._replace(version=2))
    assert await pool.fetch("select * from balances.balance") == []
    assert await pool.fetch("select * from balances_v2.balance") == []


async def test_what_making_tables_raises_comes_as_it_is_and_nothing_is_left(
    store: ProjectionStore, pool: Pool
) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await make_tables(store, sql="create tabel balance ()")
    assert (await store.builds(), await schemas(pool)) == ([], [])
    await make_tables(store)


async def test_making_tables_leaves_nothing_in_the_session(url: str) -> None:
    async with opened(url, max_size=1) as store:
        await make_tables(store, sql="set statement_timeout = '1h'; create table balance ()")
        seen: list[str] = []

        async def look(connection: Connection) -> None:
            seen.append(await connection.fetchval("show statement_timeout"))

        await register_projection(store, Build("other", 1), look)
    assert seen == ["0"]


async def test_tables_that_are_committed_by_the_user_are_an_error(store: ProjectionStore) -> None:
    with pytest.raises(asyncpg.InvalidTransactionTerminationError, match="has committed the"):
        await make_tables(store, sql="create table balance (); commit")
    assert await store.builds() == []


@pytest.mark.parametrize(
    "change",
    [
        BuildSpec(ORDERS, ProjectionKind.VIEW, "Other"),
        BuildSpec(ORDERS, ProjectionKind.PROJECTION, "Orders"),
        BuildSpec(ORDERS, ProjectionKind.VIEW, "Orders", ("status",)),
    ],
    ids=["class", "kind", "indexes"],
)
async def test_a_build_that_is_something_else_is_refused(
    store: ProjectionStore, change: BuildSpec
) -> None:
    await make_view(store)
    with pytest.raises(ProjectionError, match="is registered as view Orders, and not as"):
        await store.register(change, segments=1, start=START, create=None)


async def test_a_new_version_below_the_live_one_is_refused(store: ProjectionStore) -> None:
    await make_view(store, ORDERS._replace(version=2))
    with pytest.raises(ProjectionError, match="version 2 is live: raise the version above 2"):
        await make_view(store)


async def test_a_schema_of_somebody_else_is_left_alone(store: ProjectionStore, pool: Pool) -> None:
    await pool.execute("create schema customer_orders")
    with pytest.raises(ProjectionError, match="schema 'customer_orders'.*another name, or drop"):
        await make_view(store)
    await pool.execute("drop schema customer_orders")
    await make_view(store)


async def test_two_stores_of_a_database_do_not_share_a_name(url: str) -> None:
    async with opened(url) as one, opened(url, schema="other") as other:
        await make_view(one)
        with pytest.raises(ProjectionError, match="which this store has not made"):
            await make_view(other)


async def test_names_that_the_server_keeps_are_refused(store: ProjectionStore) -> None:
    with pytest.raises(ProjectionError, match="'pg_stat', and PostgreSQL keeps names"):
        await make_view(store, Build("pg-stat", 1))


@pytest.mark.parametrize("name", ["public", "eventsourcing", "information-schema"])
async def test_nobody_is_told_to_drop_a_schema_that_is_for_other_things(
    store: ProjectionStore, name: str
) -> None:
    with pytest.raises(ProjectionError, match="for other things.*give the projection another name"):
        await make_view(store, Build(name, 1))


@pytest.fixture
def role(server_url: str) -> Iterator[str]:
    """Give the name of a role without any rights."""
    name = f"{RUN}_projector"
    run_apart(execute(server_url, f"create role {name} login"))
    yield name
    run_apart(execute(server_url, f"drop role {name}"))


async def test_the_right_that_is_missing_is_said(url: str, pool: Pool, role: str) -> None:
    address = urlsplit(url)
    restricted = address._replace(netloc=f"{role}@{address.netloc.rpartition('@')[2]}").geturl()
    database = address.path.removeprefix("/")
    await pool.execute(f"grant usage on schema eventsourcing to {role}")
    await pool.execute(
        f"grant select, insert, update, delete on all tables in schema eventsourcing to {role}"
    )
    try:
        async with opened(restricted) as store:
            cure = f'grant create on database "{database}" to "{role}"'
            with pytest.raises(ProjectionError, match=f"the role '{role}' may not.*{cure}"):
                await make_view(store)
            await pool.execute(cure)
            await make_view(store)
            await pool.execute(f'revoke create on database "{database}" from {role}')
            await make_view(store)  # it is there

            await pool.execute("alter schema customer_orders owner to current_user")
            await pool.execute(f"revoke all on schema customer_orders from {role}")
            with pytest.raises(StorageError, match='needs usage on its schema .*"customer_orders"'):
                await store.live_values(ORDERS.name, ["a"])
            with pytest.raises(StorageError, match="the role that has registered"):
                await store.drop(ORDERS)
    finally:
        await pool.execute(f"drop owned by {role} cascade")


async def test_a_migration_is_not_taken_back_under_projections(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store)
    with pytest.raises(StorageError, match="still has projections(.|\n)*Drop them first"):
        await rollback(pool, to=4)
    await store.drop(ORDERS)
    assert (await rollback(pool, to=4)).applied == 4
