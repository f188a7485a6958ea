"""Encoding and decoding one small typed event, beside bare msgpack and the dataclass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgpack

from benchmarks._measure import Deposited, deposits, report, take_turns
from benchmarks.peers.payload import values
from eventsourcing_core import EventCodec
from eventsourcing_core.stores import Row

if TYPE_CHECKING:
    from benchmarks._measure import Side

COUNT = 20_000


(EVENT,) = deposits(1)
CODECS = {name: EventCodec(name) for name in ("msgpack", "json")}


async def main(rounds: int = 9) -> None:
    """Measure; a target is a ratio of at most 3 for msgpack."""
    sides: dict[str, Side] = {"msgpack.packb, unpackb and the dataclass": bare_there_and_back}
    sides |= {f"encode and decode, {name}": there_and_back(CODECS[name]) for name in CODECS}
    seconds = await take_turns(sides, rounds)
    report("One small event, there and back", seconds, count=COUNT, unit="events")

    sides = {"msgpack.unpackb and the dataclass": bare_back}
    sides |= {f"decode, {name}": back(CODECS[name]) for name in CODECS}
    seconds = await take_turns(sides, rounds)
    report("One small event, back", seconds, count=COUNT, unit="events")


async def bare_there_and_back() -> None:
    """Pack and unpack the fields, and build the payload."""
    payload = EVENT.data
    for _ in range(COUNT):
        packed = msgpack.packb(
            {
                "owner": payload.owner,
                "amount": payload.amount,
                "currency": payload.currency,
                "memo": payload.memo,
            }
        )
        Deposited(**msgpack.unpackb(packed))


async def bare_back() -> None:
    """Unpack the fields, and build the payload."""
    packed = msgpack.packb(values(0))
    for _ in range(COUNT):
        Deposited(**msgpack.unpackb(packed))


def there_and_back(codec: EventCodec) -> Side:
    """Encode and decode the event."""

    async def run() -> None:
        for _ in range(COUNT):
            next(codec.decode([Row("s", 1, 1, *codec.encode(EVENT))]))

    return run


def back(codec: EventCodec) -> Side:
    """Decode the event."""
    rows = [Row("s", 1, 1, *codec.encode(EVENT))] * COUNT

    async def run() -> None:
        for _ in codec.decode(rows):
            pass

    return run
