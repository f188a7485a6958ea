"""Databases of a server that are made for a test, and dropped after it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from eventsourcing_postgres._migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


def migrate_database(url: str) -> None:
    """Make the schema of the library in a database."""

    async def make() -> None:
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
            await migrate(pool)

    run_apart(make())


@contextmanager
def temporary_database(server_url: str, name: str, options: str = "") -> Iterator[str]:
    """Give the URL of a database that is made now, and dropped afterwards."""
    run_apart(execute(server_url, f"create database {name} {options}"))
    try:
        yield with_database(server_url, name)
    finally:
        run_apart(execute(server_url, f"drop database if exists {name} with (force)"))


def with_database(url: str, database: str) -> str:
    """Give the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def run_apart(work: Coroutine[object, object, None]) -> None:
    """Run in a thread with a loop of its own: an async test already has one running here."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


async def execute(url: str, sql: str) -> None:
    """Run a statement that needs no transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
