"""Reading 100 events by a tag, among many, beside a bare lookup in the index."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

import asyncpg

from benchmarks.boundaries.appending import migrate
from benchmarks.projections.results import below
from eventsourcing_core import Query, open_backend

if TYPE_CHECKING:
    from benchmarks.boundaries.command import Run

EACH = 100  # events of a tag
PART = 1_000_000  # events in one statement
# Rows that the library would have written, made by the server. The events of a tag are far apart.
FILL = """
insert into eventsourcing.events
    (position, stream_id, version, event_id, event_type, data, encoding, "timestamp", tags)
select
    number, 'account-' || number, 1, gen_random_uuid(), 'deposited', '{"amount": 1}', 'json', 0,
    array['course:' || number * 7919 % $3, 'student:' || number % ($3 * 2)]
from generate_series($1::bigint, $2::bigint) as number
"""
BARE = """
select
    stream_id, version, position, event_type, data, metadata, encoding, event_id, "timestamp", tags
from eventsourcing.events where tags @> $1 order by position
"""
LOOKS = 300


def measure(run: Run) -> None:
    """Measure; targets: under 3 ms, and at most twice the bare lookup."""
    with run.database() as url:
        bare, ours = asyncio.run(_seconds(url, run.events))
    print(f"\nReading {EACH} events by a tag, among {run.events:,}, each time another tag")
    below("read_matching, median", 1_000 * ours, 3.0, "ms")
    print(f"  a bare lookup, median: {1_000 * bare:.1f} ms")
    print(f"  read_matching, to the bare lookup: {ours / bare:.2f} (target: at most 2)")


async def _seconds(url: str, events: int) -> tuple[float, float]:
    await migrate(url)
    connection = await asyncpg.connect(url)
    courses = events // EACH
    try:
        index = await connection.fetchval(
            "select pg_get_indexdef('eventsourcing.events_tags'::regclass)"
        )
        await connection.execute("drop index eventsourcing.events_tags")
        for begin in range(0, events, PART):
            end = min(begin + PART, events)
            await connection.execute(
                "set synchronous_commit = off; set maintenance_work_mem = '512MB'"
            )
            await connection.fetch(FILL, begin + 1, end, courses)
        await connection.execute("select setval('eventsourcing.events_position', $1)", events)
        await connection.execute(index)
        await connection.execute("vacuum analyze eventsourcing.events")

        bare: list[float] = []
        ours: list[float] = []
        async with open_backend(url) as backend:
            for number in range(LOOKS):
                begin_at = time.perf_counter()
                rows = await connection.fetch(BARE, [f"course:{number * 331 % courses}"])
                bare.append(time.perf_counter() - begin_at)
                begin_at = time.perf_counter()
                query = Query(tags={f"course:{(number * 337 + 1) % courses}"})
                found, _ = await backend.event_store.read_matching(query)
                ours.append(time.perf_counter() - begin_at)
                if not len(rows) == len(found) == EACH:
                    raise LookupError
    finally:
        await connection.close()
    return statistics.median(bare), statistics.median(ours)
