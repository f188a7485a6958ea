"""What the tests of projections share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.eventsourcing_postgres.projections._builds import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import ProjectionStore


@pytest.fixture
async def store(url: str) -> AsyncIterator[ProjectionStore]:
    """Give a projection store on a fresh database."""
    async with opened(url) as store:
        yield store
