"""One server per session, one database per test, cloned from a template that is migrated once.

The server comes from a wheel. ``EVENTSOURCING_POSTGRES_URL`` names another one to use instead: the
URL of a database from which a user may create others. The fixtures here are those of all tests: see
``tests/conftest.py``. Were they in a conftest of each folder, each would start a server.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_postgres.testing._databases import (
    execute,
    migrate_database,
    run_apart,
    temporary_database,
    with_database,
)
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["execute", "run_apart", "temporary_database", "with_database"]

_names = count(1)
RUN = f"es_{os.getpid()}"
"""What the names of this session's databases begin with."""


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
        migrate_database(url)
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
