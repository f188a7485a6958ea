"""Processes that race for the versions of a stream, and batches over the same streams."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import pytest

from tests.eventsourcing_postgres.under_load._processes import DEADLINE, database, start_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    Connection = asyncpg.Connection[asyncpg.Record]

pytestmark = pytest.mark.timeout(2 * DEADLINE)  # what hangs ends by itself before

PROCESSES = 4
TASKS = 16  # of each process, in the race
ROUNDS = 20  # of each task
STREAMS = 20  # that the batches choose from
STORES = 4  # of each process; each has one batch under way
BATCHES = 625  # on each store: 10,000 in all
EVENTS = "select stream_id, version, position from eventsourcing.events order by position"
NEIGHBOURS = """
select count(*) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


async def run_together(url: str, commands: list[tuple[object, ...]]) -> list[list[Any]]:
    """Start processes, let them begin at the same moment, and give what each says in the end."""
    async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
        processes = await start_all(stack, *((command, url, *rest) for command, *rest in commands))
        for process in processes:
            process.tell()
        return [await process.end() for process in processes]


async def places(connection: Connection) -> list[tuple[str, int, int]]:
    """Give stream, version and position of all events."""
    return [(row[0], row[1], row[2]) for row in await connection.fetch(EVENTS)]


async def deadlocks(connection: Connection) -> int:
    """Count the deadlocks so far, when those who may have met one have reported it and gone."""
    async with asyncio.timeout(DEADLINE):
        while await connection.fetchval(NEIGHBOURS):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    return int(await connection.fetchval(DEADLOCKS))


class Race(NamedTuple):
    """What came of the race."""

    won: list[int]
    """The versions that appends brought."""
    lost: int
    """How many met a conflict."""
    places: list[tuple[str, int, int]]


class Batches(NamedTuple):
    """What came of the batches."""

    appended: list[tuple[str, int, int]]
    """Stream, version and position of each append."""
    places: list[tuple[str, int, int]]
    deadlocks: int


async def run_race(url: str) -> Race:
    said = await run_together(url, [("race", "contested", TASKS, ROUNDS)] * PROCESSES)
    connection = await asyncpg.connect(url)
    try:
        found = await places(connection)
    finally:
        await connection.close()
    won = [version for versions, _ in said for version in versions]
    return Race(won, sum(lost for _, lost in said), found)


async def run_batches(url: str) -> Batches:
    connection = await asyncpg.connect(url)
    try:
        before = await deadlocks(connection)
        commands: list[tuple[object, ...]] = [
            ("append_batches", name, STREAMS, STORES, BATCHES) for name in range(PROCESSES)
        ]
        try:
            said = await run_together(url, commands)
        except TimeoutError:  # each deadlock takes a second: there may be a lot of them
            said = []
        appended = [(stream_id, *result) for (appends,) in said for stream_id, result in appends]
        after = await deadlocks(connection)
        return Batches(appended, await places(connection), after - before)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def race(server_url: str, template: str) -> Iterator[Race]:
    """Run the race once."""
    with database(server_url, template, "race") as url:
        yield asyncio.run(run_race(url))


@pytest.fixture(scope="module")
def batches(server_url: str, template: str) -> Iterator[Batches]:
    """Append the batches once."""
    with database(server_url, template, "batches") as url:
        yield asyncio.run(run_batches(url))


def test_of_those_who_race_for_a_version_one_succeeds(race: Race) -> None:
    assert sorted(race.won) == [*range(1, len(race.places) + 1)]


def test_all_others_meet_a_conflict(race: Race) -> None:
    assert race.lost
    assert len(race.won) + race.lost == PROCESSES * TASKS * ROUNDS


def test_the_contested_stream_has_no_holes(race: Race) -> None:
    assert [version for _, version, _ in race.places] == sorted(race.won)


def test_overlapping_batches_never_deadlock(batches: Batches) -> None:
    assert batches.deadlocks == 0


def test_every_append_of_overlapping_batches_is_there_at_its_place(batches: Batches) -> None:
    assert len(batches.appended) >= 2 * PROCESSES * STORES * BATCHES
    assert sorted(batches.appended) == sorted(batches.places)


def test_streams_of_overlapping_batches_have_no_holes(batches: Batches) -> None:
    count: Counter[str] = Counter()
    for stream_id, version, _ in batches.places:
        count[stream_id] += 1
        assert version == count[stream_id]
    assert len(count) == STREAMS
