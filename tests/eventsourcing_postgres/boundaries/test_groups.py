"""Groups of overlapping streams, in any order and from several processes, beside readers."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import pytest

from eventsourcing_core import Query
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres.boundaries._load import (
    DEADLINE,
    DEADLOCKS,
    PROCESSES,
    SOON,
    fetched,
    let_go,
    said_by,
    started,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core import Page

GROUPER = "tests.eventsourcing_postgres.boundaries._grouper"
GROUPS = 2_500  # of each process: 10,000 in all
TASKS = 16  # of each process
pytestmark = pytest.mark.timeout(5 * DEADLINE)
STORED = """
select stream_id, version, position, convert_from(data, 'UTF8')::json ->> 'group'
from eventsourcing.events order by position
"""
OF_GROUPS = """
select convert_from(data, 'UTF8')::json ->> 'group', count(*) from eventsourcing.events
where convert_from(data, 'UTF8')::json ->> 'group' = any ($1) group by 1
"""


class Written(NamedTuple):
    """What came of the groups."""

    written: list[str]
    refused: list[str]
    failures: set[str]
    stored: list[tuple[str, int, int, str]]
    """Stream, version, position and group of each event."""
    followed: list[tuple[int, str]]
    """Position and group of what a follower got."""
    cut: list[str]
    """Groups of which a reader saw a part when the rest could not be read."""
    deadlocks: int


class Reader:
    """Follows all streams, and reads by query meanwhile, and looks for groups that are cut."""

    def __init__(self, store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._store = store
        self._pool = pool
        self.followed: list[tuple[int, str]] = []
        self.cut: list[str] = []
        self._open: Counter[str] = Counter()  # how many of a group's events are to come

    async def follow(self) -> None:
        """Follow, until it is cancelled."""
        async for page in self._store.follow():
            await self._take(page)

    async def _take(self, page: Page) -> None:
        for event in page.events:
            group, size = event.data["group"], event.data["size"]
            self.followed.append((event.position, group))
            self._open.setdefault(group, size)
            self._open[group] -= 1
            if not self._open[group]:
                del self._open[group]
        if self._open:  # the page ends within a group: then the rest of it is there, too
            sizes = {event.data["group"]: event.data["size"] for event in page.events}
            rows = await self._pool.fetch(OF_GROUPS, [*self._open])
            there: dict[str, int] = {row[0]: row[1] for row in rows}
            self.cut += [group for group in self._open if there[group] < sizes.get(group, 0)]

    async def query(self) -> None:
        """Read what groups wrote, until it is cancelled."""
        while True:
            events, _ = await self._store.read_matching(Query(tags={"grouped:1"}))
            seen = Counter(event.data["group"] for event in events)
            sizes = {event.data["group"]: event.data["size"] for event in events}
            self.cut += [group for group, count in seen.items() if count != sizes[group]]
            await asyncio.sleep(0.1)


async def run(url: str) -> Written:
    """Let processes write groups, and others read."""
    await fetched(url, SOON)
    async with (
        asyncio.timeout(4 * DEADLINE),
        AsyncExitStack() as stack,
        asyncpg.create_pool(url, min_size=1, max_size=4) as pool,
        PostgresEventStore(pool) as store,
    ):
        reader = Reader(store, pool)
        processes = [
            await stack.enter_async_context(started(GROUPER, url, number, GROUPS, TASKS))
            for number in range(PROCESSES)
        ]
        readers = [asyncio.create_task(reader.follow()), asyncio.create_task(reader.query())]
        for process in processes:
            let_go(process)
        said: list[Any] = [await said_by(process) for process in processes]
        stored = [tuple(row) for row in await pool.fetch(STORED)]
        while (  # noqa: ASYNC110 - the reader tells nobody
            len(reader.followed) < len(stored) and not readers[0].done()
        ):
            await asyncio.sleep(0.01)
        for task in readers:
            task.cancel()
        await asyncio.wait(readers)
        failed = [task.exception() for task in readers if not task.cancelled()]
        assert failed == []
    ((deadlocks,),) = await fetched(url, DEADLOCKS)
    return Written(
        written=[group for groups, _, _ in said for group in groups],
        refused=[group for _, groups, _ in said for group in groups],
        failures={failure for *_, failures in said for failure in failures},
        stored=stored,
        followed=reader.followed,
        cut=reader.cut,
        deadlocks=deadlocks,
    )


@pytest.fixture(scope="module")
def groups(server_url: str, template: str) -> Iterator[Written]:
    """Write the groups once."""
    with temporary_database(server_url, f"{RUN}_groups", f"template {template}") as url:
        yield asyncio.run(run(url))


def test_overlapping_groups_meet_no_deadlock_and_no_error(groups: Written) -> None:
    assert groups.deadlocks == 0
    assert groups.failures == set()
    assert len(groups.written) + len(groups.refused) == PROCESSES * GROUPS


def test_a_group_is_stored_as_a_whole_or_not_at_all(groups: Written) -> None:
    assert {group for *_, group in groups.stored} == {*groups.written}
    assert groups.refused


def test_the_streams_of_groups_have_no_holes_and_rise_with_the_positions(groups: Written) -> None:
    streams: dict[str, list[int]] = defaultdict(list)
    for stream_id, version, _, _ in groups.stored:
        streams[stream_id].append(version)
    for versions in streams.values():
        assert versions == [*range(1, len(versions) + 1)]


def test_a_follower_gets_all_events_of_all_groups_in_order(groups: Written) -> None:
    assert groups.followed == [(position, group) for _, _, position, group in groups.stored]


def test_no_reader_sees_a_part_of_a_group_while_the_rest_cannot_be_read(groups: Written) -> None:
    assert groups.cut == []
