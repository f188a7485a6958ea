"""No event is lost to a reader under load, and no reader waits for a stranger."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import pytest

from tests.eventsourcing_postgres._databases import with_database
from tests.eventsourcing_postgres.under_load._processes import (
    DEADLINE,
    Process,
    database,
    start_all,
    started,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    Pool = asyncpg.Pool[asyncpg.Record]

SECONDS = 30  # of load
pytestmark = pytest.mark.timeout(SECONDS + 2 * DEADLINE)  # what hangs ends by itself before
WRITERS = 4
TASKS = 8  # of each writer
FIRST_EVENTS = 1_000  # before the reader from the middle begins
FILTERS: dict[str, dict[str, Any]] = {
    "from the start": {},
    "from the middle": {},
    "of one event type": {"event_types": ["Moved"]},
    "of one prefix": {"stream_prefix": "cart-"},
}
TRUTH = """
select position, event_id::text, event_type, stream_id from eventsourcing.events order by position
"""
NAIVE = """
select position, event_id::text from eventsourcing.events
where position > $1 order by position limit 100
"""
IDLE = """
select (select count(*) from pg_stat_activity where pid = any ($1) and state like 'idle in tr%')
    + (select count(*) from pg_locks where pid = any ($1) and locktype = 'advisory')
"""


class Reader(NamedTuple):
    """What a reader delivered."""

    is_finished: bool
    """Whether it came to the last event while the strangers stood there."""
    failures: list[str]
    seen: list[tuple[int, str]]
    expected: list[tuple[int, str]]


class Load(NamedTuple):
    """What came of the load: events are positions and ids, or ids by append."""

    truth: list[tuple[int, str]]
    committed: list[list[str]]
    undone: list[list[str]]
    ways: set[str]
    readers: dict[str, Reader]
    naive: list[tuple[int, str]]
    strangers: int


@asynccontextmanager
async def strangers(url: str, elsewhere: str) -> AsyncIterator[list[int]]:
    """Let three connections stand idle; give their processes."""
    writer, reader, leaker = [await asyncpg.connect(one) for one in (elsewhere, url, url)]
    try:
        async with writer.transaction(), reader.transaction(isolation="repeatable_read"):
            await writer.execute("create temporary table stranger as select 1 as x")
            await reader.fetch("select * from eventsourcing.events")
            await leaker.execute(
                "select pg_advisory_lock_shared(42),"
                " pg_advisory_lock_shared((eventsourcing.lock_class() + 1) << 48)"
            )
            yield [connection.get_server_pid() for connection in (writer, reader, leaker)]
    finally:
        for connection in (writer, reader, leaker):
            connection.terminate()


async def read_naively(pool: Pool, last: asyncio.Future[int]) -> list[tuple[int, str]]:
    """Read as one who trusts the order of positions does."""
    seen: list[tuple[int, str]] = []
    cursor = 0
    while not (last.done() and cursor >= last.result()):
        rows = await pool.fetch(NAIVE, cursor)
        seen += [(row[0], row[1]) for row in rows]
        if rows:
            cursor = rows[-1][0]
        else:
            await asyncio.sleep(0.001)
    return seen


async def start_in_the_middle(pool: Pool, stack: AsyncExitStack, url: str) -> tuple[int, Process]:
    """Start a reader after the position that is the highest when the load is under way."""
    position = 0
    while position < FIRST_EVENTS:
        await asyncio.sleep(0.01)
        position = await pool.fetchval(
            "select coalesce(max(position), 0) from eventsourcing.events"
        )
    process = await stack.enter_async_context(started("follow", url, position, "{}"))
    return position, process


def matches(row: asyncpg.Record, filters: dict[str, Any], after: int) -> bool:
    return (
        row["position"] > after
        and row["event_type"] in filters.get("event_types", [row["event_type"]])
        and row["stream_id"].startswith(filters.get("stream_prefix", ""))
    )


async def delivered(process: Process, expected: list[tuple[int, str]]) -> Reader:
    """Let a reader come to the last event that it must deliver, and give all that it saw."""
    process.tell(expected[-1][0] if expected else 0)
    is_finished, failures, seen = await process.end()
    return Reader(is_finished, failures, [(position, id_) for position, id_ in seen], expected)


async def run(url: str, elsewhere: str) -> Load:
    async with (
        asyncio.timeout(SECONDS + DEADLINE),
        AsyncExitStack() as stack,
        asyncpg.create_pool(url, min_size=1, max_size=3) as pool,
        strangers(url, elsewhere) as pids,
    ):
        names = [name for name in FILTERS if name != "from the middle"]
        processes = await start_all(
            stack,
            *(("follow", url, 0, json.dumps(FILTERS[name])) for name in names),
            *(("write", url, number, TASKS, SECONDS) for number in range(WRITERS)),
        )
        followers = dict(zip(names, processes, strict=False))
        last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        naive = asyncio.create_task(read_naively(pool, last))
        stack.callback(naive.cancel)
        writers = processes[len(names) :]
        for writer in writers:
            writer.tell()
        middle, followers["from the middle"] = await start_in_the_middle(pool, stack, url)
        written = [await writer.end() for writer in writers]
        rows = await pool.fetch(TRUTH)
        last.set_result(rows[-1]["position"])
        afters = {"from the middle": middle}
        expected = {
            name: [(row[0], row[1]) for row in rows if matches(row, filters, afters.get(name, 0))]
            for name, filters in FILTERS.items()
        }
        readers = await asyncio.gather(
            *(delivered(followers[name], expected[name]) for name in FILTERS)
        )
        return Load(
            truth=[(row[0], row[1]) for row in rows],
            committed=[ids for committed, _, _ in written for ids in committed],
            undone=[ids for _, undone, _ in written for ids in undone],
            ways={way for _, _, ways in written for way in ways},
            readers=dict(zip(FILTERS, readers, strict=True)),
            naive=await naive,
            strangers=await pool.fetchval(IDLE, pids),
        )


@pytest.fixture(scope="module")
def load(server_url: str, template: str) -> Iterator[Load]:
    """Run the load once."""
    with database(server_url, template, "readers") as url:
        yield asyncio.run(run(url, with_database(server_url, "postgres")))


@pytest.mark.parametrize("name", FILTERS)
def test_a_reader_delivers_each_committed_event_once_and_in_order(load: Load, name: str) -> None:
    reader = load.readers[name]
    assert len(reader.expected) > FIRST_EVENTS
    missed = {*reader.expected} - {*reader.seen}
    assert not missed, f"lost {len(missed)} of {len(reader.expected)}"
    assert reader.seen == reader.expected


def test_what_writers_saw_committed_is_there_whole_and_nothing_else(load: Load) -> None:
    there = [id_ for _, id_ in load.truth]
    assert sorted(there) == sorted(id_ for ids in load.committed for id_ in ids)


def test_what_writers_saw_rolled_back_is_seen_by_nobody(load: Load) -> None:
    undone = {id_ for ids in load.undone for id_ in ids}
    assert undone
    for seen in (load.truth, load.naive, *(reader.seen for reader in load.readers.values())):
        assert not undone & {id_ for _, id_ in seen}


def test_transactions_ended_in_every_way(load: Load) -> None:
    assert load.ways == {
        "_append_plainly",
        "_commit",
        "_commit_two",
        "_roll_back",
        "_roll_back_a_savepoint",
        "_be_killed",
        "_wait_for_an_id",
    }


def test_readers_come_to_the_end_while_strangers_stand_idle(load: Load) -> None:
    assert load.strangers == 4  # two transactions, two locks
    assert all(reader.is_finished for reader in load.readers.values())


def test_readers_meet_no_error(load: Load) -> None:
    assert not any(reader.failures for reader in load.readers.values())


def test_a_naive_reader_beside_them_loses_events(load: Load) -> None:
    lost = {*load.truth} - {*load.naive}
    assert len(lost) > 100, f"lost {len(lost)} of {len(load.truth)}"
