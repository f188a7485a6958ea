"""Handlers: how each kind takes events, many at once or one alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from eventsourcing_core._errors import (
    OutageError,
    ProjectionError,
    SerializationError,
    StorageError,
    TransformError,
    said_of,
)
from eventsourcing_core._projections._reading.decoding import decoded
from eventsourcing_core._projections._reading.delivery import (
    Deliveries,
    parts_of,
    places_of,
    stream,
)
from eventsourcing_core.stores._builds import BatchRefusedError, ProjectionKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections._reading.delivery import Delivery, Part
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core._projections.deliveries import Parking
    from eventsourcing_core._projections.kinds import Projection, Reactor, View
    from eventsourcing_core._projections.values import ValueCodec
    from eventsourcing_core.stores._projection_store import Batch
    from eventsourcing_core.stores._rows import Row


_TURN = 0.02
"""Seconds that a view computes in one turn of the event loop, about."""
TURN = 500
"""How many events are decoded in one turn, at most."""


class Handler(Protocol):
    """Applies events inside a batch."""

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """Apply events in their order; what fails may fail all of them."""
        ...

    async def one(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> None:
        """Apply what was made of one stored event, for one key; raises what user code raises."""
        ...


def handler_of(definition: Definition, codec: EventCodec) -> Handler:
    """Give what applies the events of a view or a projection; reactors apply nothing here."""
    follower: Any = definition.follower
    match definition.spec.kind:
        case ProjectionKind.VIEW if definition.values is not None:
            return ViewHandler(follower, definition.values, codec)
        case ProjectionKind.PROJECTION:
            return ProjectionHandler(follower, codec)
        case _:
            return NoHandler()


class ViewHandler:
    """Reads the values that a page is about, evolves them, and writes those that have changed.

    Args:
        view: The view.
        values: What encodes its values.
        codec: What makes events of rows.
    """

    def __init__(self, view: View[Any], values: ValueCodec[Any], codec: EventCodec) -> None:
        self._evolve = view.evolve
        self._values = values
        self._codec = codec

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """See ``Handler.many``; an event that fails parks its key, and no other one fails."""
        by_key: defaultdict[str, list[Row]] = defaultdict(list)
        for row, key in ready(deliveries, parking):
            by_key[key].append(row)
        if not by_key:
            return
        parts = parts_of(deliveries)
        stored = await batch.values([*by_key])
        changed: dict[str, str | None] = {}
        now = asyncio.get_running_loop().time
        turn = now() + _TURN
        for key, rows in by_key.items():
            text = stored.get(key)
            places = places_of(parts, rows, (key,))
            new = self._evolved(key, text, rows, places, parking)
            if new != text:
                changed[key] = new
            if now() >= turn:  # other tasks of the process are not to wait for all of them
                await asyncio.sleep(0)
                turn = now() + _TURN
        if changed:
            await batch.put(changed)

    async def one(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> None:
        """See ``Handler.one``."""
        text = (await batch.values([key])).get(key)
        new = self._step(text, events)
        if new != text:
            await batch.put({key: new})

    def _evolved(
        self,
        key: str,
        text: str | None,
        rows: Sequence[Row],
        places: Mapping[int, Collection[int]],
        parking: Parking,
    ) -> str | None:
        """Give the JSON of a value after events: at once, or one by one to see which one fails."""
        try:
            return self._step(text, decoded(self._codec, rows, places))
        except Exception:  # noqa: BLE001 - the user's function, or a row that cannot be read
            # Once more from the text, with new events: what fails may have changed in place.
            for row in rows:
                if parking.holds(key):
                    parking.wait(key, row[2])
                    continue
                try:
                    text = self._step(text, decoded(self._codec, [row], places))
                except Exception as error:  # noqa: BLE001 - as above
                    parking.fail(key, row[2], error)
            return text

    def _step(self, text: str | None, events: Iterable[RecordedEvent[Any]]) -> str | None:
        evolve = self._evolve
        value = None if text is None else self._values.decode(text)
        for event in events:
            value = evolve(value, event)
        return None if value is None else self._values.encode(value)


class ProjectionHandler:
    """Lets a projection write its tables.

    Args:
        projection: The projection.
        codec: What makes events of rows.
    """

    def __init__(self, projection: Projection[Any], codec: EventCodec) -> None:
        self._apply_many = projection.apply_many
        self._codec = codec

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """See ``Handler.many``."""
        events: list[RecordedEvent[Any]] = []
        for start in range(0, len(deliveries), TURN):
            events += self._decoded(deliveries[start : start + TURN], parking)
            await asyncio.sleep(0)  # other tasks of the process are not to wait for all of them
        if events:
            with telling_faults():
                await self._apply_many(events, batch.connection)

    def _decoded(
        self, deliveries: Sequence[Delivery], parking: Parking
    ) -> Iterable[RecordedEvent[Any]]:
        if is_plain(deliveries, parking):
            with suppress(SerializationError, TransformError):
                return [*decoded(self._codec, deliveries.rows)]
        parts, pairs = parts_of(deliveries), [*ready(deliveries, parking)]
        if not parts:
            with suppress(SerializationError, TransformError):
                return [*decoded(self._codec, [row for row, _ in pairs])]
        return self._one_by_one(pairs, parts, parking)

    def _one_by_one(
        self,
        pairs: Iterable[tuple[Row, str]],
        parts: Mapping[int, Sequence[Part]],
        parking: Parking,
    ) -> Iterator[RecordedEvent[Any]]:
        """Decode rows of which some cannot be read, or whose parts have keys of their own."""
        for at, group in groupby(pairs, lambda pair: pair[0][2]):
            several = [*group]
            row = several[0][0]
            keys: list[str] = []
            for _, key in several:
                if parking.holds(key):  # since one before could not be read
                    parking.wait(key, at)
                else:
                    keys.append(key)
            if not keys:
                continue
            try:
                yield from [*decoded(self._codec, [row], places_of(parts, [row], keys))]
            except (SerializationError, TransformError) as error:
                for key in keys:
                    parking.fail(key, at, error)

    async def one(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> None:  # noqa: ARG002 - its tables are its own
        """See ``Handler.one``."""
        with telling_faults():
            await self._apply_many(events, batch.connection)


@contextmanager
def telling_faults() -> Iterator[None]:
    """Raise a ``ProjectionError`` for a failure of a handler that would be taken for another thing.

    A ``CancelledError`` of its own, since somebody has cancelled what it waits for, is not the end
    of this task. A ``StorageError`` is not one of the store here: it has used another one.
    """
    try:
        yield
    except (OutageError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        is_told = isinstance(error, Exception) and not isinstance(error, StorageError)
        task = asyncio.current_task()
        is_ours = isinstance(error, asyncio.CancelledError) and task and task.cancelling()
        if is_told or is_ours:
            raise
        raise ProjectionError(said_of(error)) from error


class NoHandler:
    """Writes nothing: what a reactor does is done elsewhere."""

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """See ``Handler.many``."""

    async def one(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> None:
        """See ``Handler.one``."""


def is_plain(deliveries: Sequence[Delivery], parking: Parking) -> TypeGuard[Deliveries]:
    """Tell whether all can be applied, each under the id of its stream, as far as is known."""
    return isinstance(deliveries, Deliveries) and deliveries.keys is None and parking.is_empty


def ready(deliveries: Sequence[Delivery], parking: Parking) -> Iterable[tuple[Row, str]]:
    """Give the rows that can be applied, each with a key; the others are noted as waiting."""
    if is_plain(deliveries, parking):
        return zip(deliveries.rows, map(stream, deliveries.rows), strict=True)
    return _ready(deliveries, parking)


def _ready(deliveries: Iterable[Delivery], parking: Parking) -> Iterator[tuple[Row, str]]:
    for row, keys, error, _ in deliveries:
        for key in keys:
            if parking.holds(key):
                parking.wait(key, row[2])
            elif error:
                parking.fail(key, row[2], error)
            else:
                yield row, key


async def carefully(
    handler: Handler,
    codec: EventCodec,
    batch: Batch,
    deliveries: Sequence[Delivery],
    parking: Parking,
) -> None:
    """Apply stored events one by one, each in a savepoint; those that fail park their keys.

    Raises:
        BatchRefusedError: An event has ended the transaction.
    """
    parts = parts_of(deliveries)
    for row, key in ready(deliveries, parking):
        if parking.holds(key):  # since the one before
            parking.wait(key, row[2])
            continue
        try:
            events = [*decoded(codec, [row], places_of(parts, [row], (key,)))]
            if events:
                async with batch.savepoint():
                    await handler.one(batch, events, key)
        except (OutageError, BatchRefusedError):
            raise
        except Exception as error:  # noqa: BLE001 - it is the user's code
            parking.fail(key, row[2], error)


async def react(reactor: Reactor, events: Iterable[RecordedEvent[Any]]) -> Exception | None:
    """Let a reactor react to events; give what it failed with, or None."""
    try:
        for event in events:
            with telling_faults():
                await reactor.react(event)
    except OutageError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the user's code
        return error
    return None
