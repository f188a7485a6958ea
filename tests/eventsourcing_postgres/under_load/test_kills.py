"""Nothing acknowledged is lost when the server is killed under load."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import asyncpg
import pytest

from eventsourcing_core import AppendResult, Event, ExpectedVersion
from eventsourcing_postgres import PostgresEventStore, migrate
from tests.eventsourcing_postgres._server import Server, running
from tests.eventsourcing_postgres.under_load._processes import DEADLINE, start_all
from tests.eventsourcing_postgres.under_load.other_process import Acknowledged

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(2 * DEADLINE)  # what hangs ends by itself before

CLIENTS = 3
STORES = 3  # of each client; each has one batch under way
TASKS = 4  # on each store
EVENTS_BEFORE_KILL = (200, 1_000, 50, 500, 2_000)
REPEATED = 500  # acknowledged appends
EVENTS = """
select stream_id, version, position, event_id::text from eventsourcing.events order by position
"""


class Outcome(NamedTuple):
    """What was left after the kills."""

    truth: list[tuple[str, int, int, str]]
    """Stream, version, position and id of all events, by position."""
    acknowledged: list[Acknowledged]
    refused: list[str]
    repeated: list[tuple[Acknowledged, AppendResult | BaseException]]
    """Acknowledged appends, and what the same append gives once more."""
    is_finished: bool
    failures: list[str]
    """What the reader met."""
    seen: list[tuple[int, str]]
    killed: set[int]
    """The processes of the servers that were killed."""
    survivors: set[int]


async def wait_for_events(connection: asyncpg.Connection[asyncpg.Record], count: int) -> None:
    """Wait until so many more events are there."""
    sql = "select count(*) from eventsourcing.events"
    enough = count + await connection.fetchval(sql)
    while await connection.fetchval(sql) < enough:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)


async def kill_under_load(server: Server, count: int) -> tuple[set[int], set[int]]:
    """Kill the server after so many more events, start it; give its processes, and who lives."""
    connection = await asyncpg.connect(server.url())
    try:
        await wait_for_events(connection, count)
        pids = {row[0] for row in await connection.fetch("select pid from pg_stat_activity")}
        server.kill()
        survivors = running(pids)
        server.start()
    finally:
        connection.terminate()
    return pids, survivors


async def repeat(
    pool: asyncpg.Pool[asyncpg.Record], appends: list[Acknowledged]
) -> list[tuple[Acknowledged, AppendResult | BaseException]]:
    """Append once more what was acknowledged; give what comes of it."""
    async with PostgresEventStore(pool) as store:
        results = await asyncio.gather(
            *(
                store.append(
                    append.stream_id,
                    [
                        Event("Counted", {"n": n}, event_id=UUID(id_))
                        for n, id_ in enumerate(append.event_ids)
                    ],
                    expected_version=ExpectedVersion.ANY
                    if append.expected_version is None
                    else append.expected_version,
                )
                for append in appends
            ),
            return_exceptions=True,
        )
    return [*zip(appends, results, strict=True)]


async def run(server: Server) -> Outcome:
    url = server.url()
    async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            await migrate(pool)
        reader, *clients = await start_all(
            stack,
            ("follow", url, 0, "{}"),
            *(("insist", url, name, STORES, TASKS) for name in range(CLIENTS)),
        )
        kills = [await kill_under_load(server, count) for count in EVENTS_BEFORE_KILL]
        connection = await asyncpg.connect(url)
        await wait_for_events(connection, EVENTS_BEFORE_KILL[0])
        await connection.close()
        for client in clients:
            client.tell()
        said = [await client.end() for client in clients]
        acknowledged = [Acknowledged(*append) for appends, _ in said for append in appends]
        pool = await stack.enter_async_context(asyncpg.create_pool(url, min_size=1, max_size=3))
        truth = [(row[0], row[1], row[2], row[3]) for row in await pool.fetch(EVENTS)]
        reader.tell(truth[-1][2])
        is_finished, failures, seen = await reader.end()
        again = [append for append in acknowledged if append.failures] + acknowledged[-REPEATED:]
        return Outcome(
            truth=truth,
            acknowledged=acknowledged,
            refused=[error for _, errors in said for error in errors],
            repeated=await repeat(pool, again),
            is_finished=is_finished,
            failures=failures,
            seen=[(position, id_) for position, id_ in seen],
            killed={pid for pids, _ in kills for pid in pids},
            survivors={pid for _, pids in kills for pid in pids},
        )


@pytest.fixture(scope="module")
def outcome() -> Iterator[Outcome]:
    """Kill the server several times while clients append."""
    server = Server()
    try:
        server.start()
        yield asyncio.run(run(server))
    finally:
        server.stop()


def test_a_kill_ends_every_process_of_the_server(outcome: Outcome) -> None:
    assert len(outcome.killed) > 5 * len(EVENTS_BEFORE_KILL)
    assert outcome.survivors == set()


def test_every_append_succeeds_when_it_is_repeated(outcome: Outcome) -> None:
    assert outcome.refused == []


def test_an_acknowledged_append_is_there_at_its_place(outcome: Outcome) -> None:
    places = {id_: place for *place, id_ in outcome.truth}
    for append in outcome.acknowledged:
        count = len(append.event_ids)
        versions = range(append.version - count + 1, append.version + 1)
        found = [places.get(id_) for id_ in append.event_ids]
        assert [place and place[:2] for place in found] == [
            [append.stream_id, version] for version in versions
        ]
        assert found[-1] == [append.stream_id, append.version, append.position]


def test_each_event_is_there_once_and_nothing_else(outcome: Outcome) -> None:
    there = [id_ for *_, id_ in outcome.truth]
    assert sorted(there) == sorted(
        id_ for append in outcome.acknowledged for id_ in append.event_ids
    )


def test_versions_have_no_holes_and_rise_with_positions(outcome: Outcome) -> None:
    count: Counter[str] = Counter()
    for stream_id, version, _, _ in outcome.truth:
        count[stream_id] += 1
        assert version == count[stream_id]


def test_a_server_that_is_killed_is_a_storage_error_to_everybody(outcome: Outcome) -> None:
    assert {each for append in outcome.acknowledged for each in append.failures} == {"OutageError"}
    assert outcome.failures == ["OutageError"]


def test_an_append_whose_acknowledgement_was_lost_gives_its_place(outcome: Outcome) -> None:
    landed = [append for append in outcome.acknowledged if append.landed]
    assert landed, "no kill came between a commit and its acknowledgement"
    for append in landed:
        assert append.landed == [append.version, append.position]


def test_an_acknowledged_append_gives_the_same_result_again(outcome: Outcome) -> None:
    assert len(outcome.repeated) > REPEATED
    for append, result in outcome.repeated:
        assert result == (append.version, append.position)


def test_a_reader_that_follows_through_the_kills_sees_each_event_once(outcome: Outcome) -> None:
    assert outcome.is_finished
    assert outcome.seen == [(position, id_) for _, _, position, id_ in outcome.truth]
