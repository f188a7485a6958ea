"""What a process of one build does with typed events: only calls that every build has.

It imports nothing of the benchmarks: the environment that it runs in belongs to another checkout.
"""

# Each build is of another form, which no one type says.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from dataclasses import asdict
from typing import Any

import msgpack

import eventsourcing_core
from eventsourcing_core import Event, EventCodec, JsonSerializer, event
from eventsourcing_msgpack import MsgpackSerializer

EVENTS, APPENDS = 10_000, 500
SERIALIZERS: dict[str, Any] = {
    "json": "json",
    "msgpack": "msgpack",
    # What a program made itself is not replaced by a plugin.
    "json, no plugin": JsonSerializer(),
    "msgpack, no plugin": MsgpackSerializer(),
}


@event("build.deposited")
class Deposited:
    """A typed event of about 90 bytes."""

    owner: str
    amount: int
    currency: str
    memo: str


class Worker:
    """What is measured of one codec, beside msgpack alone."""

    def __init__(self, codec: EventCodec) -> None:
        self._codec = codec
        self._events = [
            Event.of(Deposited("Alice Example", n, "EUR", "Salary for November, paid"))
            for n in range(EVENTS)
        ]
        self._packed = [msgpack.packb(asdict(each.data)) for each in self._events]
        self._rows = [self._row(each, number) for number, each in enumerate(self._events)]

    def _row(self, event: Event[Any], number: int) -> Any:
        """Give a row as drivers do, each value an object of its own."""
        event_type, data, _, encoding, event_id, timestamp, *tags = self._codec.encode(event)
        event_id, timestamp = bytes(bytearray(event_id)), timestamp + number
        values = (_copy(event_type), data, None, _copy(encoding), event_id, timestamp, *tags)
        place = (_copy("Account-1"), number + 1, 100_000 + number)
        # Before there were rows with a name, the place came last.
        return (*place, *values) if hasattr(eventsourcing_core, "Projection") else (*values, *place)

    def decode(self) -> float:
        """Decode all rows: seconds of the processor."""
        begin = time.process_time()
        for _ in self._codec.decode(self._rows):
            pass
        return time.process_time() - begin

    def encode(self) -> float:
        """Encode appends of ten events: seconds of the processor."""
        events = self._events[:10]
        begin = time.process_time()
        for _ in range(APPENDS):
            self._codec.encode_append("Account-1", events, 0)
        return time.process_time() - begin

    def hold(self) -> float:
        """Hold all events, and not the rows: bytes."""
        rows = (self._row(each, number) for number, each in enumerate(self._events))
        list(self._codec.decode(self._rows[:1]))  # what is made once
        gc.collect()
        tracemalloc.start()
        held = list(self._codec.decode(rows))
        gc.collect()
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return float(size) if held else 0.0

    def bare(self) -> float:
        """Unpack, and build the payload: seconds of the processor."""
        begin = time.process_time()
        for packed in self._packed:
            Deposited(**msgpack.unpackb(packed))
        return time.process_time() - begin


def _copy(text: str) -> str:
    return text.encode().decode()


def main(name: str) -> None:
    """Do what is asked for, line by line, until there are no more lines."""
    worker = Worker(EventCodec(SERIALIZERS[name]))
    for line in sys.stdin:
        print(getattr(worker, json.loads(line))(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
