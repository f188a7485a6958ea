"""A store that a version wrote which landed: migrated, it is read as that version read it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, open_backend
from eventsourcing_postgres import migrate
from tests.eventsourcing_postgres._databases import RUN, execute, run_apart, temporary_database
from tests.eventsourcing_postgres._shape import shape_of
from tests.eventsourcing_postgres.landed.following import views_go_on
from tests.eventsourcing_postgres.landed.program import SNAPSHOT_FREQUENCY, Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pool = asyncpg.Pool[asyncpg.Record]

LANDED = Path(__file__).with_name("landed")
COMMITS = sorted(path.stem for path in LANDED.glob("*.sql"))
WITH_VIEWS = [commit for commit in COMMITS if commit not in {"1b6c58d", "ef85fee"}]


@pytest.fixture(params=COMMITS)
def commit(request: pytest.FixtureRequest) -> str:
    """Give the name of a commit that landed."""
    return str(request.param)


@pytest.fixture
def old_url(server_url: str, commit: str) -> Iterator[str]:
    """Give the URL of a database as that commit left it."""
    dump = LANDED.joinpath(f"{commit}.sql").read_text("utf-8")
    with temporary_database(server_url, f"{RUN}_landed") as url:
        run_apart(execute(url, dump))
        yield url


async def test_every_event_is_read_as_it_was(old_url: str, commit: str) -> None:
    expected = LANDED.joinpath(f"{commit}.txt").read_text("utf-8").splitlines()
    assert len(expected) > 50
    async with open_backend(old_url, migrate=True) as backend:
        assert [repr(event) async for event in backend.event_store.read_all()] == expected


@pytest.mark.parametrize("name", ["json", "msgpack"])
async def test_aggregates_go_on_from_their_snapshots(old_url: str, name: str) -> None:
    async with open_backend(old_url, serializer=name, migrate=True) as backend:
        accounts = backend.repository(Account, snapshot_frequency=SNAPSHOT_FREQUENCY)
        account = await accounts.load(name)  # its snapshots know nothing of known types: unused
        assert (account.owner, account.balance, account.version) == (
            f"Zoë {name}",
            Decimal("0.21"),
            7,
        )
        account.deposit(Decimal(1))
        await accounts.save(account)
        # What is before its own snapshot cannot be read any more, so that one is in use.
        sql = (
            "set eventsourcing.allow_change = 'on'; update eventsourcing.events set data = ''"  # noqa: S608 - our own name
            f" where stream_id = 'Account-{name}' and version < {2 * SNAPSHOT_FREQUENCY}"
        )
        await execute(old_url, sql)
        assert (await accounts.load(name)).balance == Decimal("1.21")


async def test_streams_go_on_where_they_ended(old_url: str) -> None:
    async with open_backend(old_url, migrate=True) as backend:
        store = backend.event_store
        before = [event.position async for event in store.read_all()]
        one, two, three = (Event("Added", {"n": number}) for number in range(3))
        result = await store.append("brought-msgpack-1", [one], expected_version=3)
        assert (result.version, result.position) == (4, before[-1] + 1)
        result = await store.append("values-json", [two, three], expected_version=11)
        assert result.version == 13
        added = [event async for event in store.read_all(after_position=before[-1])]
        assert [(event.stream_id, event.version) for event in added] == [
            ("brought-msgpack-1", 4),
            ("values-json", 12),
            ("values-json", 13),
        ]


@pytest.mark.parametrize("commit", WITH_VIEWS)
async def test_views_go_on_where_they_ended(old_url: str) -> None:
    async with open_backend(old_url, migrate=True) as backend:
        await views_go_on(backend)


async def test_a_migrated_schema_is_as_a_new_one(old_url: str) -> None:
    async with asyncpg.create_pool(old_url, min_size=1, max_size=1) as pool:
        await migrate(pool)
        migrated = await shape_of(pool)
        await pool.execute("alter schema eventsourcing rename to old")
        await migrate(pool)
        assert migrated == await shape_of(pool)


_OLD_APPEND_ONE = """
select eventsourcing.append_one($1, $2, gen_random_uuid(), 'Old', '{}', null, 'json', 7, '100ms')
"""
_OLD_APPEND = """
select stream_version from eventsourcing.append(
    array['new', 'old'], array[0, 1], null, null, null, array[gen_random_uuid(), gen_random_uuid()],
    array['Old', 'Old'], array['{}', '{}']::bytea[], null, array['json'], array[7, 7],
    '100ms', false
)
"""


async def test_processes_of_the_first_version_go_on_beside_this_one(server_url: str) -> None:
    dump = LANDED.joinpath("1b6c58d.sql").read_text("utf-8")
    with temporary_database(server_url, f"{RUN}_beside") as url:
        run_apart(execute(url, dump))
        old = await asyncpg.connect(url)
        try:
            drawn = await old.fetchval("select eventsourcing.horizon()")
            assert await old.fetchval(_OLD_APPEND_ONE, "old", 0) == [1, drawn + 1]
            async with open_backend(url, migrate=True) as backend:
                store = backend.event_store
                await store.append("new", [Event("New", {})], expected_version=0)
                assert await old.fetchval(_OLD_APPEND_ONE, "new", 1) == [2, drawn + 3]
                await store.append("old", [Event("New", {})], expected_version=1)
                assert [row[0] for row in await old.fetch(_OLD_APPEND)] == [2, 2]
                read = [event async for event in store.read_all(after_position=drawn)]
                assert [(event.stream_id, event.event_type) for event in read] == [
                    ("old", "Old"),
                    ("new", "New"),
                    ("new", "Old"),
                    ("old", "New"),
                ]

                async with old.transaction():  # each sees what the other has in flight
                    await old.fetchval(_OLD_APPEND_ONE, "slow", 0)
                    await store.append("fast", [Event("New", {})], expected_version=0)
                    last = read[-1].position
                    assert [event async for event in store.read_all(after_position=last)] == []
                read = [event async for event in store.read_all(after_position=last)]
                assert [event.stream_id for event in read] == ["slow", "fast"]
                assert await old.fetchval("select eventsourcing.horizon()") == read[-1].position
        finally:
            await old.close()
