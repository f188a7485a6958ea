"""Handlers: how each kind takes events, many at once or one alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from eventsourcing_core._errors import OutageError, ProjectionError, StorageError, said_of
from eventsourcing_core.stores._builds import BatchRefusedError, ProjectionKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections._reading.delivery import Delivery
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core._projections.deliveries import Parking
    from eventsourcing_core._projections.kinds import Projection, Reactor, View
    from eventsourcing_core._projections.values import ValueCodec
    from eventsourcing_core.stores._projection_store import Batch
    from eventsourcing_core.stores._rows import Row


_TURN = 0.02
"""Seconds that a view computes in one turn of the event loop, about."""


class Handler(Protocol):
    """Applies events inside a batch."""

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """Apply events in their order; what fails may fail all of them."""
        ...

    async def one(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> None:
        """Apply what was made of one stored event, for one key; raises what user code raises."""
        ...


class Again:
    """Decodes events of a page again, so that each is as it is stored.

    A value may hold what an event holds: who changes the one has changed the other.

    Args:
        codec: What decodes them.
        deliveries: The page.
    """

    def __init__(self, codec: EventCodec, deliveries: Sequence[Delivery]) -> None:
        self._codec = codec
        self._deliveries = deliveries

    @cached_property
    def _rows(self) -> Mapping[int, Row]:
        return {delivery.position: delivery.row for delivery in self._deliveries}

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {id(part.event): part.place for each in self._deliveries for part in each.parts}

    def __call__(self, event: RecordedEvent[Any]) -> RecordedEvent[Any]:
        """Give an event as it is stored."""
        found = [*self._codec.decode([self._rows[event.position]])]
        return found[self._places.get(id(event), 0)]


def handler_of(definition: Definition, codec: EventCodec) -> Handler:
    """Give what applies the events of a view or a projection; reactors apply nothing here."""
    follower: Any = definition.follower
    match definition.spec.kind:
        case ProjectionKind.VIEW if definition.values is not None:
            return ViewHandler(follower, definition.values, codec)
        case ProjectionKind.PROJECTION:
            return ProjectionHandler(follower)
        case _:
            return NoHandler()


class ViewHandler:
    """Reads the values that a page is about, evolves them, and writes those that have changed.

    Args:
        view: The view.
        values: What encodes its values.
        codec: What decodes events again.
    """

    def __init__(self, view: View[Any], values: ValueCodec[Any], codec: EventCodec) -> None:
        self._evolve = view.evolve
        self._values = values
        self._codec = codec

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """See ``Handler.many``; an event that fails parks its key, and no other one fails."""
        again = Again(self._codec, deliveries)
        by_key: defaultdict[str, list[RecordedEvent[Any]]] = defaultdict(list)
        last: object = None
        for event, key in ready(deliveries, parking):
            by_key[key].append(again(event) if event is last else event)
            last = event
        if not by_key:
            return
        stored = await batch.values([*by_key])
        changed: dict[str, str | None] = {}
        now = asyncio.get_running_loop().time
        turn = now() + _TURN
        for key, events in by_key.items():
            text = stored.get(key)
            new = self._evolved(key, text, events, parking, again)
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
        events: Sequence[RecordedEvent[Any]],
        parking: Parking,
        again: Again,
    ) -> str | None:
        """Give the JSON of a value after events."""
        evolve = self._evolve
        try:
            value = None if text is None else self._values.decode(text)
            for event in events:
                value = evolve(value, event)
            return None if value is None else self._values.encode(value)
        except Exception:  # noqa: BLE001 - it is the user's function: which event was it?
            return self._carefully(key, text, map(again, events), parking)

    def _carefully(
        self, key: str, text: str | None, events: Iterable[RecordedEvent[Any]], parking: Parking
    ) -> str | None:
        """Apply events as far as they can be: what fails may have changed the value in place."""
        for position, made in groupby(events, lambda event: event.position):
            if parking.holds(key):
                parking.wait(key, position)
                continue
            try:
                text = self._step(text, made)
            except Exception as error:  # noqa: BLE001 - as above
                parking.fail(key, position, error)
        return text

    def _step(self, text: str | None, events: Iterable[RecordedEvent[Any]]) -> str | None:
        value = None if text is None else self._values.decode(text)
        for event in events:
            value = self._evolve(value, event)
        return None if value is None else self._values.encode(value)


class ProjectionHandler:
    """Lets a projection write its tables.

    Args:
        projection: The projection.
    """

    def __init__(self, projection: Projection[Any]) -> None:
        self._apply_many = projection.apply_many

    async def many(self, batch: Batch, deliveries: Sequence[Delivery], parking: Parking) -> None:
        """See ``Handler.many``."""
        events = [event for event, _ in ready(deliveries, parking)]
        if events:
            with telling_faults():
                await self._apply_many(events, batch.connection)

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


def ready(
    deliveries: Sequence[Delivery], parking: Parking
) -> Iterator[tuple[RecordedEvent[Any], str]]:
    """Give the events that can be applied, each with a key; the others are noted as waiting."""
    is_free = parking.is_empty
    for delivery in deliveries:
        _, event, keys, error, parts = delivery
        for key in keys:
            if is_free and event is not None and not parts:
                yield event, key
            elif parking.holds(key):
                parking.wait(key, delivery.position)
            elif event is None:
                parking.fail(key, delivery.position, error)
                is_free = False
            elif not parts:
                yield event, key
        for part in parts:
            yield from ((part.event, key) for key in part.keys if not parking.holds(key))


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
    again = Again(codec, deliveries)
    for delivery in deliveries:
        for key in dict.fromkeys(key for _, key in ready([delivery], parking)):
            events = [again(event) for event in delivery.events_of(key)]
            try:
                async with batch.savepoint():
                    await handler.one(batch, events, key)
            except (OutageError, BatchRefusedError):
                raise
            except Exception as error:  # noqa: BLE001 - it is the user's code
                parking.fail(key, delivery.position, error)


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
