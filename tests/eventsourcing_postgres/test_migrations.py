from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest

from eventsourcing_core import Event, SchemaError, StorageError, open_backend, open_migrator
from eventsourcing_postgres import PostgresEventStore, migrate, rollback, status
from tests.eventsourcing_postgres._shape import shape_of

if TYPE_CHECKING:
    from pathlib import Path

    Pool = asyncpg.Pool[asyncpg.Record]


async def test_up_down_up_gives_the_same_schema(pool: Pool) -> None:
    before = await shape_of(pool)
    assert len(before) > 20
    latest = (await status(pool)).latest
    for to in range(latest - 1, -1, -1):
        assert await rollback(pool, to=to) == (to, latest)
    assert await shape_of(pool) == []
    assert await migrate(pool) == (latest, latest)
    assert await shape_of(pool) == before


async def test_migrating_twice_and_at_once_does_it_once(pool: Pool) -> None:
    done = await asyncio.gather(*(migrate(pool, schema="other") for _ in range(5)))
    assert set(done) == {await status(pool, schema="other")}
    assert await pool.fetchval("select count(*) from other.schema_migrations") == done[0].latest


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_so_it_does_whatever_level_the_database_prefers(url: str, isolation: str) -> None:
    preferred = {"default_transaction_isolation": isolation}
    async with asyncpg.create_pool(url, min_size=5, max_size=5, server_settings=preferred) as pool:
        done = await asyncio.gather(*(migrate(pool, schema="other") for _ in range(5)))
        assert set(done) == {await status(pool, schema="other")}
        undone = await asyncio.gather(
            *(rollback(pool, schema="other", to=0) for _ in range(5)), return_exceptions=True
        )
        assert {(0, done[0].latest)} == {*undone}


async def test_tables_that_were_restored_without_their_rows_say_so(pool: Pool, url: str) -> None:
    await pool.execute("truncate eventsourcing.schema_migrations")
    with pytest.raises(SchemaError, match="has its tables.*restored without their rows"):
        async with open_backend(url, migrate=True):
            pass


async def test_a_missing_schema_says_the_command(pool: Pool, url: str) -> None:
    command = "python -m eventsourcing_postgres migrate --schema nowhere URL"
    with pytest.raises(SchemaError, match=command):
        async with open_backend(url, schema="nowhere"):
            pass
    async with PostgresEventStore(pool, schema="nowhere", listen=False) as store:
        with pytest.raises(SchemaError, match=command):
            await store.append("a", [Event("Opened", {"n": 1})], expected_version=0)


async def test_an_older_schema_says_how_old(pool: Pool, url: str) -> None:
    await rollback(pool, to=1)
    with pytest.raises(SchemaError, match="is at migration 1 of 9; run: python -m"):
        async with open_backend(url):
            pass
    async with open_backend(url, migrate=True) as backend:
        await backend.event_store.append("a", [Event("Opened", {"n": 1})], expected_version=0)


async def test_a_newer_schema_is_left_alone(pool: Pool, url: str) -> None:
    await pool.execute("insert into eventsourcing.schema_migrations values (99, 'later')")
    for work in (migrate(pool), rollback(pool, to=0)):
        with pytest.raises(SchemaError, match="is at migration 99, this version .* knows 9"):
            await work
    with pytest.raises(SchemaError, match="upgrade the package"):
        async with open_backend(url):
            pass


@pytest.mark.parametrize("to", [-1, 10])
async def test_rollback_goes_to_a_migration_that_is_applied(pool: Pool, to: int) -> None:
    with pytest.raises(ValueError, match="to must be 0 to 9"):
        await rollback(pool, to=to)


@pytest.mark.parametrize("sql", ["update", "delete", "truncate"])
async def test_events_are_not_changed(pool: Pool, sql: str) -> None:
    async with PostgresEventStore(pool, listen=False) as store:
        await store.append("a", [Event("Opened", {"n": 1})], expected_version=0)
    statement = {
        "update": "update eventsourcing.events set event_type = 'x'",
        "delete": "delete from eventsourcing.events",
        "truncate": "truncate eventsourcing.events",
    }[sql]
    with pytest.raises(asyncpg.RestrictViolationError, match="never changed or deleted"):
        await pool.execute(statement)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local eventsourcing.allow_change = 'on'")
        await connection.execute(statement)


def run(*arguments: str) -> str:
    """Run the command; give its exit code, and what it said."""
    finished = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "eventsourcing_postgres", *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return f"{finished.returncode} {finished.stdout or finished.stderr}"


def test_the_command_migrates_rolls_back_and_tells(url: str) -> None:
    assert run("status", url) == "0 schema eventsourcing: migration 9 of 9\n"
    assert run("rollback", url, "--to", "0") == "0 schema eventsourcing: migration 0 of 9\n"
    assert run("migrate", url) == "0 schema eventsourcing: migration 9 of 9\n"
    assert run("rollback", url, "--to", "10").startswith("1 rollback: to must be 0 to 9")
    gone = run("status", f"{url}_gone")
    address = urlsplit(url).netloc.rpartition("@")[2]
    assert gone.startswith(f"1 status: connecting to {address} failed: InvalidCatalogNameError")


def test_the_command_takes_the_url_of_the_application(url: str) -> None:
    given = f"{url}?schema=app%20one&pooler=false&max_size=3&statement_timeout=60000"
    assert run("migrate", given) == "0 schema app one: migration 9 of 9\n"
    assert run("status", given, "--schema", "other") == "0 schema other: migration 0 of 9\n"
    assert run("status", f"{given}&shema=x").startswith("1 status: the backend 'postgresql' has no")


@pytest.mark.parametrize("password", ["1?secret", "p?secret", "1?a&secret", "p?secret=1"])
def test_the_command_shows_no_part_of_a_password_that_is_not_quoted(password: str) -> None:
    said = run("status", f"postgresql://u:{password}@host/x")
    assert said.startswith("1 status: ")
    assert "%3F" in said  # how it is to be quoted
    assert "secret" not in said


def test_the_command_takes_no_url_of_another_backend(tmp_path: Path) -> None:
    said = run("status", f"sqlite:///{tmp_path}/x.db")
    assert said.startswith("1 status: not the URL of a PostgreSQL server")


async def test_a_migrator_takes_the_url_of_the_application(url: str) -> None:
    given = f"{url}?schema=app%20two&max_size=3&migrate=true&statement_timeout=60000"
    async with open_migrator(given, connect_timeout=20.0) as migrator:
        assert await migrator.migrate() == (9, 9)
    async with open_backend(f"{url}?schema=app%20two") as backend:
        await backend.event_store.append("a", [Event("Opened", {"n": 1})], expected_version=0)


@pytest.mark.parametrize(
    "bad", ["postgresql://nobody:secret@127.0.0.1:1/x", "postgres://u:secret@[/x"]
)
async def test_a_migrator_that_cannot_connect_shows_no_password(bad: str) -> None:
    with pytest.raises((StorageError, ValueError)) as caught:
        async with open_migrator(bad):
            pass
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


async def test_the_command_that_is_said_can_be_given_to_a_shell(pool: Pool, url: str) -> None:
    command = "python -m eventsourcing_postgres migrate --schema 'app one' URL"
    with pytest.raises(SchemaError, match=command):
        async with open_backend(url, schema="app one"):
            pass
    async with PostgresEventStore(pool, schema="app one", listen=False) as store:
        with pytest.raises(SchemaError, match=command):
            await store.append("a", [Event("Opened", {"n": 1})], expected_version=0)


async def test_a_wrong_password_or_port_is_an_error_without_the_password(url: str) -> None:
    for bad in (url.replace("postgres@", "nobody:secret@"), "postgresql://u:secret@127.0.0.1:1/x"):
        with pytest.raises(StorageError) as caught:
            async with open_backend(bad):
                pass
        assert "secret" not in str(caught.value)
        assert f"the database at {urlsplit(bad).netloc.rpartition('@')[2]} " in str(caught.value)
        assert caught.value.__cause__ is not None
