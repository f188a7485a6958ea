"""What the tests of this distribution share, beside the server and the databases on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.eventsourcing_postgres._databases import RUN, temporary_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def contract_url(server_url: str, template: str) -> Iterator[str]:
    """Give the URL of one database for all contract tests; they empty it themselves."""
    with temporary_database(server_url, f"{RUN}_contract", f"template {template}") as url:
        yield url


@pytest.fixture
async def pool(url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """Give a pool on a fresh, migrated database."""
    async with asyncpg.create_pool(url, min_size=1, max_size=10) as opened:
        yield opened
