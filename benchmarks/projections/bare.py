"""The bare driver: a page, one statement and a cursor in one transaction, the next page."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import asyncpg

from benchmarks._measure import Deposited
from benchmarks.projections.apart import Figures, Watch

TABLES = """
drop table if exists bare_counts, bare_cursor;
create table bare_counts (stream_id text collate "C" primary key, events bigint not null);
create table bare_cursor as select 0::bigint as position;
"""
PAGE = """
select stream_id, version, position, event_type, data, metadata, encoding, uuid_send(event_id),
    "timestamp"
from eventsourcing.events where position > $1 order by position limit $2
"""
ADD = """
insert into bare_counts (stream_id, events)
select * from unnest($1::text[], $2::bigint[])
on conflict (stream_id) do update set events = bare_counts.events + excluded.events
"""
MOVE = "update bare_cursor set position = $1 where position = $2"


def catch_up(url: str, page: int) -> Figures:
    """Count all events by stream."""
    return asyncio.run(count_all(url, page))


async def count_all(url: str, page: int) -> Figures:
    """Count them, in pages of so many."""
    connection = await asyncpg.connect(url)
    seen = cursor = 0
    try:
        await connection.execute(TABLES)
        with Watch() as watch:
            while rows := await connection.fetch(PAGE, cursor, page):
                counts: Counter[str] = Counter()
                for row in rows:
                    Deposited(**json.loads(row["data"]))
                    counts[row["stream_id"]] += 1
                async with connection.transaction():
                    last = rows[-1]["position"]
                    await connection.execute(MOVE, last, cursor)
                    await connection.execute(ADD, list(counts), list(counts.values()))
                cursor = last
                seen += len(rows)
        return watch.figures(seen)
    finally:
        await connection.close()
