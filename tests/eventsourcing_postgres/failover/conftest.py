"""One pair of servers for the tests that need no failover; the others start their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_backend
from tests.eventsourcing_postgres._databases import run_apart
from tests.eventsourcing_postgres.failover._aggregate import types
from tests.eventsourcing_postgres.failover._pair import running_pair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from eventsourcing_core import Backend
    from tests.eventsourcing_postgres.failover._pair import Pair


@pytest.fixture(scope="session")
def shared_pair() -> Iterator[Pair]:
    """Give a pair whose primary stays the primary."""
    with running_pair() as pair:
        run_apart(migrate(pair))
        yield pair


async def migrate(pair: Pair) -> None:
    async with open_backend(pair.url, migrate=True):
        pass


@pytest.fixture
async def pair(shared_pair: Pair) -> Pair:
    """Give the pair, in step."""
    await shared_pair.get_in_step()
    return shared_pair


@pytest.fixture
async def backend(pair: Pair) -> AsyncIterator[Backend]:
    """Open a backend on the primary."""
    async with open_backend(pair.url, event_types=types) as backend:
        yield backend
