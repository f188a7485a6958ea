"""What the guide about migrations in production promises."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from eventsourcing_core import Event, SchemaError, open_backend
from eventsourcing_postgres import rollback
from tests.eventsourcing_postgres._databases import RUN, execute, run_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "eventsourcing_postgres", "migrate", url],
        capture_output=True,
        check=False,
        timeout=60,
        encoding="utf-8",
    )


@pytest.fixture
def migrator(server_url: str) -> Iterator[str]:
    """Give the name of a user without any rights, whose password is ``secret``."""
    name = f"{RUN}_migrator"
    run_apart(execute(server_url, f"create role {name} login password 'secret'"))
    yield name
    run_apart(execute(server_url, f"drop role {name}"))


async def test_the_right_to_create_is_needed_for_the_first_migration_only(
    pool: Pool, url: str, migrator: str
) -> None:
    await rollback(pool, to=0)
    await pool.execute("drop schema eventsourcing cascade")
    address = urlsplit(url)
    netloc = f"{migrator}:secret@{address.netloc.rpartition('@')[2]}"
    restricted = address._replace(netloc=netloc).geturl()
    right = f"create on database {address.path.removeprefix('/')}"
    try:
        refused = migrate(restricted)
        assert refused.returncode == 1
        assert "grant create on database" in refused.stderr
        await pool.execute(f"grant {right} to {migrator}")
        assert migrate(restricted).returncode == 0
        await pool.execute(f"revoke {right} from {migrator}")
        await rollback(pool, to=1)
        assert migrate(restricted).returncode == 0
    finally:
        await pool.execute(f"drop owned by {migrator} cascade")


async def test_a_migration_waits_for_a_lock_no_longer_than_it_is_told(pool: Pool, url: str) -> None:
    await rollback(pool, to=0)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table eventsourcing.schema_migrations in exclusive mode")
        refused = migrate(f"{url}?lock_timeout=100ms")
    assert (refused.returncode, "lock timeout" in refused.stderr) == (1, True)
    assert migrate(url).returncode == 0


async def test_who_has_a_backend_open_is_not_asked_again_after_a_migration(
    pool: Pool, url: str
) -> None:
    async with open_backend(url) as backend:
        await pool.execute("insert into eventsourcing.schema_migrations values (99, 'later')")
        result = await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)
        assert result.version == 1
    with pytest.raises(SchemaError):
        async with open_backend(url):
            pass
