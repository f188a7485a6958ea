"""Filtered reading of all streams: in stretches that take little time, and few of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import HistoryChangedError
from eventsourcing_core.stores import RowQuery
from eventsourcing_postgres import _horizon
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._horizon import STRETCH, AllReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from eventsourcing_core.stores import RowPage

    Pool = asyncpg.Pool[asyncpg.Record]

MANY = 50_000
INSERT = """
insert into eventsourcing.events
    (position, stream_id, version, event_id, event_type, data, encoding, "timestamp")
select n, 's-' || n, 1, gen_random_uuid(), 'Common', '{}', 'json', 0
from generate_series($1::bigint, $2::bigint) as n
"""
RARE = RowQuery(frozenset({"Rare"}))


@pytest.fixture
async def database(pool: Pool) -> AsyncIterator[Database]:
    opened = Database(pool, schema="eventsourcing", acquire_timeout=10, answer_timeout=10)
    async with asyncio.timeout(30):
        yield opened
        opened.close()
        await opened.wait_closed()


async def fill(pool: Pool, first: int, last: int) -> None:
    """Store events of a common type at these positions."""
    await pool.execute(INSERT, first, last)
    await pool.execute("select setval('eventsourcing.events_position', $1)", last)


async def pages_of(
    database: Database, query: RowQuery, after: int = 0, limit: int | None = None
) -> list[RowPage]:
    return [page async for page in AllReader(database, query, limit).forward(after)]


async def test_a_filter_that_matches_nothing_takes_a_few_statements_and_gets_to_the_end(
    pool: Pool, database: Database
) -> None:
    await fill(pool, 1, MANY)
    pages = await pages_of(database, RARE)
    assert len(pages) <= 12, "stretches grow"
    assert len(pages) > 1, "one statement does not look at all"
    assert all(not page.rows for page in pages)
    ends = [page.seen_to for page in pages]
    assert ends == sorted(set(ends))
    assert ends[0] == STRETCH
    assert ends[-1] == MANY


async def test_a_hole_of_any_size_takes_a_few_statements(pool: Pool, database: Database) -> None:
    far = 10**15
    await fill(pool, 1, 10)
    await fill(pool, far, far)
    pages = await pages_of(database, RowQuery(stream_prefix="s-"))
    assert [row.position for page in pages for row in page.rows] == [*range(1, 11), far]
    assert pages[-1].seen_to == far
    assert len(pages) < 40


async def test_stretches_that_take_long_get_shorter_but_not_below_the_first(
    pool: Pool, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(pool, 1, 20 * STRETCH)
    monkeypatch.setattr(_horizon, "_QUICK", 0.0)
    monkeypatch.setattr(_horizon, "_SLOW", -1.0)
    ends = [page.seen_to for page in await pages_of(database, RARE)]
    assert ends == [n * STRETCH for n in range(1, 21)]


@pytest.mark.parametrize("limit", [None, 1, 2, 3])
async def test_a_page_says_how_far_it_has_looked(
    pool: Pool, database: Database, limit: int | None
) -> None:
    await fill(pool, 1, 5 * STRETCH)
    at = [STRETCH // 2, STRETCH, 3 * STRETCH]
    async with pool.acquire() as connection:
        await connection.execute("set eventsourcing.allow_change = 'on'")
        await connection.execute(
            "update eventsourcing.events set event_type = 'Rare' where position = any ($1)", at
        )
    pages = await pages_of(database, RARE, limit=limit)
    found = [row.position for page in pages for row in page.rows]
    assert found == at[:limit]
    assert pages[-1].seen_to == (5 * STRETCH if limit is None else found[-1])


@pytest.mark.parametrize(
    "query", [RowQuery(), RARE, RowQuery(frozenset()), RowQuery(stream_prefix="s-")], ids=repr
)
async def test_whoever_asks_for_what_is_beyond_the_end_is_told(
    pool: Pool, database: Database, query: RowQuery
) -> None:
    with pytest.raises(HistoryChangedError):
        await pages_of(database, query, after=70)
    await fill(pool, 1, 3)
    with pytest.raises(HistoryChangedError):
        await pages_of(database, query, after=70)
    assert await pages_of(database, query, limit=0) == [([], 0)]


async def test_an_empty_filter_asks_for_no_rows(
    pool: Pool, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(pool, 1, 3)
    asked: list[str] = []
    real = Database.use

    async def noting(self: Database, doing: str, work: Any, *arguments: Any) -> Any:
        asked.append(work.__name__)
        return await real(self, doing, work, *arguments)

    monkeypatch.setattr(Database, "use", noting)
    assert await pages_of(database, RowQuery(frozenset())) == [([], 3)]
    assert len(asked) == 1


async def test_reading_backward_says_where_it_began(pool: Pool, database: Database) -> None:
    await fill(pool, 1, 3)
    for query, rows in ((RowQuery(), [3, 2, 1]), (RARE, []), (RowQuery(frozenset()), [])):
        pages = [page async for page in AllReader(database, query, None).backward(0)]
        assert [row.position for page in pages for row in page.rows] == rows
        assert {page.seen_to for page in pages} == {3}
