"""How tags are stored does not change: rows of the version that began it are read as they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from tests._frozen_tags import check_they_are_read, write_them

if TYPE_CHECKING:
    from collections.abc import Callable

    Pool = asyncpg.Pool[asyncpg.Record]

FROZEN = Path(__file__).parent / "frozen" / "tags.sql"
STORED = "select to_jsonb(events) from eventsourcing.events order by position"


async def test_tags_of_long_ago_are_read_and_found(url: str, pool: Pool) -> None:
    await pool.execute(FROZEN.read_text("utf-8"))
    await check_they_are_read(url)


async def test_tags_are_written_as_they_always_were(
    make_database: Callable[[], str], pool: Pool
) -> None:
    await pool.execute(FROZEN.read_text("utf-8"))
    expected = await pool.fetch(STORED)
    url = make_database()
    await write_them(url)
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as now:
        assert await now.fetch(STORED) == expected != []
