"""The same conditional appends by other libraries: from threads, since both of them block.

Each append has the condition that there is no event of a tag, after the last position that its
thread has seen; as ours, it knows that without reading.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import umadb
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.postgres import PostgresDatastore

from benchmarks.boundaries import appending
from benchmarks.peers.payload import EVENT_TYPE, values
from benchmarks.peers.servers import running_umadb
from benchmarks.projections.results import ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.boundaries.command import Run

    Append = Callable[[str, int | None], int]

DATA = json.dumps(values(1)).encode()


def measure(run: Run) -> None:
    """Measure; targets: 10 times eventsourcing's, 1.5 times UmaDB's."""
    if "conditional" not in run.rates:
        appending.measure(run)
    ours = run.rates["conditional"]
    with run.database() as url:
        theirs = _eventsourcing(url, run)
    with running_umadb() as url:
        umas = _rate(_umadb(url), run)
    print(f"\nConditional appends a second, {run.tasks} tasks or threads")
    for name, rate in (("ours", ours), ("eventsourcing", theirs), ("UmaDB", umas)):
        print(f"  {name:<14}{rate:>10,.0f}")
    ratio("to eventsourcing's DCB recorder", ours, theirs, 10)
    ratio("to UmaDB's client", ours, umas, 1.5)


def _eventsourcing(url: str, run: Run) -> float:
    parts = urlsplit(url)
    with PostgresDatastore(
        dbname=parts.path[1:],
        host=parts.hostname or "",
        port=parts.port or 5432,
        user=parts.username or "",
        password=parts.password or "",
        pool_size=16,
        max_overflow=0,
        connect_timeout=60,
        lock_timeout=0,
    ) as datastore:
        recorder = PostgresDCBRecorderTT(datastore, events_table_name="dcb_events")
        recorder.create_table()

        def append(tag: str, after: int | None) -> int:
            query = DCBQuery(items=[DCBQueryItem(tags=[tag])])
            event = DCBEvent(type=EVENT_TYPE, data=DATA, tags=[tag])
            return recorder.append([event], DCBAppendCondition(query, after))

        return _rate(append, run)


def _umadb(url: str) -> Append:
    client = umadb.Client(url)

    def append(tag: str, after: int | None) -> int:
        query = umadb.Query([umadb.QueryItem(tags=[tag])])
        event = umadb.Event(EVENT_TYPE, DATA, [tag])
        return client.append([event], umadb.AppendCondition(query, after))

    return append


def _rate(append: Append, run: Run) -> float:
    rates = [_timed(append, run) for _ in range(run.rounds + 1)][1:]
    return sorted(rates)[len(rates) // 2]


def _timed(append: Append, run: Run) -> float:
    counts = [0] * run.tasks
    begin = time.perf_counter()

    def work(number: int) -> None:
        after = None
        while time.perf_counter() < begin + run.seconds:
            after = append(f"account:{uuid4()}", after)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(run.tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begin)
