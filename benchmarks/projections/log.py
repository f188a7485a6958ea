"""A log to follow, made by the server itself: a million events take seconds."""

from __future__ import annotations

import asyncpg

from benchmarks._measure import deposits
from eventsourcing_core import EventCodec

FILL_STREAMS = """
insert into eventsourcing.streams (id, version)
select 'Counted-' || number, $2 / $1 + case when number < $2 % $1 then 1 else 0 end
from generate_series(0, $1::bigint - 1) as number
where number < $2::bigint
"""
FILL_EVENTS = """
insert into eventsourcing.events (
    position, stream_id, version, event_id, event_type, data, encoding, "timestamp"
)
select
    nextval('eventsourcing.events_position'), 'Counted-' || number % $1::bigint,
    number / $1 + 1, uuidv7(), $3, $4, $5,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint
from generate_series(0, $2::bigint - 1) as number
"""


async def fill(url: str, events: int, streams: int) -> int:
    """Fill an empty store, which is migrated, with events of streams that take turns.

    Returns:
        The last position.
    """
    encoded = EventCodec("json").encode(*deposits(1))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(FILL_STREAMS, streams, events)
        await connection.execute(
            FILL_EVENTS, streams, events, encoded.event_type, encoded.data, encoded.encoding
        )
        await connection.execute("vacuum analyze")
        position: int = await connection.fetchval("select max(position) from eventsourcing.events")
        return position
    finally:
        await connection.close()
