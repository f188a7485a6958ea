"""Events that go through three upcasters, beside the same events in their form of today.

The target is less than 3 µs for the chain, and nothing for events without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks._measure import report, take_turns
from eventsourcing_core import Event, EventCodec, EventTypes, JsonSerializer, event, upcaster
from eventsourcing_core.stores import Row
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks._measure import Side

COUNT = 10_000
FIRST, LAST = "chain.deposited", "chain.deposited.v4"
with_chain, without = EventTypes(), EventTypes()


@event(LAST, event_types=with_chain)
class Deposited:
    """A deposit as it is stored today."""

    owner: str
    cents: int
    currency: str
    memo: str


without.register(Deposited, LAST)


@upcaster(FIRST, to="chain.deposited.v2", event_types=with_chain)
def cents(data: dict[str, Any]) -> dict[str, Any]:
    """Give cents in place of an amount."""
    data["cents"] = data.pop("amount") * 100
    return data


@upcaster("chain.deposited.v2", to="chain.deposited.v3", event_types=with_chain)
def owner(data: dict[str, Any]) -> dict[str, Any]:
    """Call the holder the owner."""
    data["owner"] = data.pop("holder")
    return data


@upcaster("chain.deposited.v3", to=LAST, event_types=with_chain)
def currency(data: dict[str, Any]) -> dict[str, Any]:
    """Say what the amount is of."""
    data["currency"] = "EUR"
    return data


OLD = {"holder": "Alice Example", "amount": 7, "memo": "Salary for November, paid"}
NEW = {
    "owner": "Alice Example",
    "cents": 700,
    "currency": "EUR",
    "memo": "Salary for November, paid",
}


async def main(rounds: int = 15) -> None:
    """Measure, for each serializer, with the converter in all cases."""
    for serializer in (JsonSerializer(), MsgpackSerializer()):
        old, new = rows_of(serializer, FIRST, OLD), rows_of(serializer, LAST, NEW)
        sides: dict[str, Side] = {
            "no upcasters": decoding(EventCodec(serializer, event_types=without), new),
            "upcasters, and none for the type": decoding(
                EventCodec(serializer, event_types=with_chain), new
            ),
            "through three upcasters": decoding(
                EventCodec(serializer, event_types=with_chain), old
            ),
        }
        seconds = await take_turns(sides, rounds)
        title = f"Decoding small typed events, {serializer.name}"
        report(title, seconds, count=COUNT, unit="events")
        plain, _, chain = seconds.values()
        print(f"  the chain takes {(min(chain) - min(plain)) / COUNT * 1e6:.2f} µs an event")


def rows_of(serializer: Any, name: str, tree: dict[str, Any]) -> Sequence[Row]:
    """Store events as a program without classes does."""
    codec = EventCodec(serializer, event_types=EventTypes())
    encoded = codec.encode(Event(name, tree))
    return [Row("Account-1", number, number, *encoded) for number in range(1, COUNT + 1)]


def decoding(codec: EventCodec, rows: Sequence[Row]) -> Side:
    """Decode all rows."""

    async def decode() -> None:
        for _ in codec.decode(rows):
            pass

    return decode
