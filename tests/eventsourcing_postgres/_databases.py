"""One server per session, one database per test, cloned from a template that is migrated once.

The server comes from a wheel. ``EVENTSOURCING_POSTGRES_URL`` names another one to use instead: the
URL of a database from which a user may create others. The fixtures here are those of all tests: see
``tests/conftest.py``. Were they in a conftest of each folder, each would start a server.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from eventsourcing_postgres import migrate
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

_names = count(1)
RUN = f"es_{os.getpid()}"
"""What the names of this session's databases begin with."""


def with_database(url: str, database: str) -> str:
    """Give the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def execute(url: str, sql: str) -> None:
    """Run a statement that needs no transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def run_apart(work: Coroutine[object, object, None]) -> None:
    """Run in a thread with a loop of its own: an async test already has one running here."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


@contextmanager
def temporary_database(server_url: str, name: str, options: str = "") -> Iterator[str]:
    """Give the URL of a database that is made now, and dropped afterwards."""
    run_apart(execute(server_url, f"create database {name} {options}"))
    try:
        yield with_database(server_url, name)
    finally:
        run_apart(execute(server_url, f"drop database if exists {name} with (force)"))


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Give the URL of a database on a running server."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """Give the name of a database that is migrated and empty."""
    name = f"{RUN}_template"
    with temporary_database(server_url, name) as url:

        async def make() -> None:
            async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
                await migrate(pool)

        run_apart(make())
        yield name


@pytest.fixture
def make_database(server_url: str, template: str) -> Iterator[Callable[[], str]]:
    """Give a function that makes a fresh, migrated database, and returns its URL."""
    with ExitStack() as made:

        def make() -> str:
            name = f"{RUN}_{next(_names)}"
            return made.enter_context(temporary_database(server_url, name, f"template {template}"))

        yield make


@pytest.fixture
def url(make_database: Callable[[], str]) -> str:
    """Give the URL of a fresh, migrated database."""
    return make_database()
