"""Trying the events of parked keys again, in their order."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import (
    HistoryChangedError,
    OutageError,
    SerializationError,
    StorageError,
    TransformError,
    said_of,
)
from eventsourcing_core._projections.handlers import react
from eventsourcing_core._projections.kinds import Reactor
from eventsourcing_core._projections.status import position_of
from eventsourcing_core.stores._builds import (
    BatchRefusedError,
    Move,
    ParkedKey,
    Segment,
    Wish,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core._projections.handlers import Handler
    from eventsourcing_core._projections.sharing import Terms
    from eventsourcing_core.stores._projection_store import Batch, ProjectionStore

logger = logging.getLogger("eventsourcing_core.projections")

_AT_ONCE = 100
"""How many keys are tried between two pages, at most."""
_MOMENT = 0.2
"""Seconds that are spent on them between two pages, about."""
_LONGEST_PAUSE = 300.0
"""Seconds between two tries, at most."""

_TOO_LATE = (
    "its key can be told by now, and is another one: later events of that key have been applied, "
    "and this one only if another process could tell its key: raise the version, so that all is "
    "built anew, or skip the event"
)


class Retrying:
    """Tries parked keys of the segments of a process again.

    Args:
        definition: What is done with events.
        handler: What does it.
        events: Where they are.
        store: Where the keys are parked.
        terms: How often, and when.
    """

    def __init__(
        self,
        definition: Definition,
        handler: Handler,
        events: StorageEventStore,
        store: ProjectionStore,
        terms: Terms,
    ) -> None:
        self._definition = definition
        self._handler = handler
        self._events = events
        self._store = store
        self._terms = terms

    async def retry_due(self, segments: Sequence[Segment], parked: dict[str, int]) -> bool:
        """Try some of those that are due, or wished for; tell whether there may be more.

        It takes a moment at most, since all else waits. Keys that are parked no longer are taken
        out of ``parked``.
        """
        if not parked or not segments:
            return False
        now = asyncio.get_running_loop().time
        end = now() + _MOMENT
        build = self._definition.build
        keys = await self._store.due(build, segments, first=_AT_ONCE)
        for tried, key in enumerate(keys):
            if now() >= end and tried:
                return True
            segment = next(each for each in segments if each.low <= key.hash <= each.high)
            if await self._retry(segment, key):
                parked.pop(key.key, None)
        return len(keys) == _AT_ONCE

    async def _retry(self, segment: Segment, parked: ParkedKey) -> bool:
        """Try the events of a key, until one fails; tell whether none is left."""
        positions = [*parked.positions]
        attempts = parked.attempts
        if parked.wish is Wish.SKIP:
            if not await self._is_passed(positions[0]):
                return False  # the wish stays
            async with self._batch(segment) as batch:
                await batch.unpark(parked.key, positions.pop(0))
            attempts = 0
        for position in positions:
            if not await self._try(segment, parked.key, position, attempts + 1):
                return False
            attempts = 0
        return parked.waiting == len(parked.positions)

    async def _is_passed(self, position: int) -> bool:
        """Tell whether nobody needs to know any more that an event could not be read.

        Those who cannot read it, and have not its stream, go on once they find it parked.
        """
        if self._definition.is_keyed_by_stream:
            return True
        return position_of(await self._store.arrangement(self._definition.build)) >= position

    async def _try(self, segment: Segment, key: str, position: int, attempt: int) -> bool:
        """Try one event; tell whether it waits no longer."""
        error = ""
        events: Sequence[RecordedEvent[Any]] = ()
        try:
            events = await self._events_at(position)
        except (SerializationError, TransformError) as damage:
            error = said_of(damage)
        reactor = self._definition.follower
        if events and isinstance(reactor, Reactor):
            async with self._batch(segment):
                pass  # nobody has taken the segment over
            failure = await react(reactor, self._of_key(events, key) or events)
            error = "" if failure is None else said_of(failure)

        if events and not error:
            try:
                async with self._batch(segment) as batch:
                    error = await self._apply(batch, events, key)
                    await self._settle(batch, key, position, error, attempt)
            except BatchRefusedError as refusal:
                error = str(refusal)
            else:
                return not error
        async with self._batch(segment) as batch:
            await self._settle(batch, key, position, error, attempt)
        return not error

    async def _apply(self, batch: Batch, events: Sequence[RecordedEvent[Any]], key: str) -> str:
        try:
            async with batch.savepoint():
                of_key = [each for each in events if key in self._definition.keys_of(each)]
                if not of_key:
                    # It waits under the id of its stream, since its keys could not be told. Its
                    # neighbours of these keys have been applied without it.
                    return _TOO_LATE
                await self._handler.one(batch, of_key, key)
        except (OutageError, BatchRefusedError):
            raise
        except Exception as error:  # noqa: BLE001 - it is the user's code
            return said_of(error)
        return ""

    def _of_key(self, events: Sequence[RecordedEvent[Any]], key: str) -> list[RecordedEvent[Any]]:
        """Give the events of a key; none if their keys cannot be told, which ``_apply`` says."""
        try:
            return [each for each in events if key in self._definition.keys_of(each)]
        except Exception:  # noqa: BLE001 - it is the user's code
            return []

    async def _settle(
        self, batch: Batch, key: str, position: int, error: str, attempt: int
    ) -> None:
        """Note what became of an event: it is done with, or has failed with an error."""
        if not error:
            await batch.unpark(key, position)
            return
        retry_in: float | None = None
        if attempt < self._terms.attempts:
            retry_in = min(self._terms.retry_pause * 4 ** (attempt - 1), _LONGEST_PAUSE)
        else:
            logger.error("%s: gave up key %r: %s", self._definition.build, key, error)
        await batch.fail_again(key, error, retry_in)

    def _batch(self, segment: Segment) -> Any:
        move = Move((segment,), segment.progress)
        return self._store.batch(self._definition.build, move, lease=self._terms.lease)

    async def _events_at(self, position: int) -> Sequence[RecordedEvent[Any]]:
        """Give what is made of the event at a position; empty if it is there no more."""
        types = self._definition.event_types
        try:
            return [
                event
                async for event in self._events.read_all(after_position=position - 1, limit=1)
                if event.position == position and (types is None or event.event_type in types)
            ]
        except HistoryChangedError:
            return ()
        except StorageError as error:
            raise OutageError(str(error)) from error
