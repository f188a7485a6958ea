"""Transforming a store: it is moved, checked, and followed until the operator has switched."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from eventsourcing_core._encoding.front import StorageEventStore
from eventsourcing_core._errors import EventSourcingError, OutageError, StorageError, shown
from eventsourcing_core.evolution._transforming.checking import Checking
from eventsourcing_core.evolution._transforming.moving import Moving
from eventsourcing_core.evolution._transforming.report import Transformed, TransformProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core.evolution._transforming.report import Stage

_PAUSE = 0.1  # seconds between two looks of one that follows, so that each finds several events
_LONGEST_WAIT = 1.0  # seconds; then it is told again how far it is
logger = logging.getLogger(__name__)


async def transform(
    source: StorageEventStore,
    target: StorageEventStore,
    *,
    finish: asyncio.Event | None = None,
    on_progress: Callable[[TransformProgress], None] = lambda _: None,
) -> Transformed:
    """Move the events of a store through upcasters into a new store, and compare both.

    Each event is read as a program reads it, and written under the name and in the form of today,
    with the codec of the target. Streams, order, times and metadata are kept, and so is the id; of
    several events that are made of one, the first one keeps it, and the others have ids that follow
    from it. Versions are counted anew where events were dropped or split: the metadata then say
    under ``original-version`` which one it was. Snapshots are not moved. ::

        async with (
            open_backend("sqlite:///old.db") as old,
            open_backend("sqlite:///new.db") as new,
        ):
            moved = await transform(old.event_store, new.event_store)

    The source may be written meanwhile. The call can end at any moment, and the same call goes on:
    the target's last event says how far it was.

    Args:
        source: Opened with the registry of the program.
        target: Opened with the same one; a new store, or one that an earlier call has begun.
        finish: If given, it follows the source until this is set, and then ends after one more look
            for new events: set it once nobody writes any more. None: it ends with the events that
            the source has now.
        on_progress: Told every so often how far it is.

    Raises:
        TransformationError: The target holds other events, or both differ; or an event cannot be
            read or written, and those before it are moved.
        ValueError: Both are one store, or have different registries.
        StorageError: A store failed. One that follows waits until an outage is over.
    """
    _check(source, target)
    report = Transformed()
    moving, checking = Moving(source, target, report), Checking(source, target, report)
    last = await source.last_position()

    def teller(stage: Stage) -> Callable[[int], None]:
        return lambda position: on_progress(TransformProgress(stage, position, last))

    while True:
        is_last = finish is None or finish.is_set()
        try:
            await moving.advance(teller("moving"))
            await checking.advance(moving.position, teller("checking"))
            if is_last:  # asked before the last position, which they hold back
                report.appenders = await _appenders(source)
            last = await source.last_position()
            teller("following")(moving.position)
        except OutageError as error:
            if is_last or (finish is not None and finish.is_set()):
                raise
            logger.warning("a store cannot be reached, and is waited for: %s", error)
        if is_last or finish is None:
            report.position, report.last_position = moving.position, last
            return report
        await _until_more(source, moving.position, finish)


async def _appenders(source: StorageEventStore) -> int:
    """Count those who append to the source; 0 where nobody knows."""
    try:
        return len(await source.appenders())
    except OutageError:
        raise
    except StorageError as error:  # such as a standby
        logger.warning("who appends to the source is not known: %s", error)
        return 0


async def _until_more(source: StorageEventStore, position: int, finish: asyncio.Event) -> None:
    """Wait for events, or to be told to end; at most a second."""
    told = asyncio.ensure_future(finish.wait())
    more = asyncio.ensure_future(_more(source, position))
    try:
        await asyncio.wait({told, more}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        more.cancel()
        await asyncio.gather(told, more, return_exceptions=True)


async def _more(source: StorageEventStore, position: int) -> None:
    await asyncio.sleep(_PAUSE)
    try:
        await source.wait(after_position=position, timeout=_LONGEST_WAIT)
    except EventSourcingError:  # the next look gets it, too, and says so
        await asyncio.sleep(_LONGEST_WAIT)


def _check(source: StorageEventStore, target: StorageEventStore) -> None:
    for name, store in (("source", source), ("target", target)):
        given: object = store
        if not isinstance(given, StorageEventStore):
            message = (
                f"the {name} is an event store, as backend.event_store gives it, got {shown(given)}"
            )
            raise TypeError(message)
    if source is target:
        message = "the source and the target are one store: open a new one as the target"
        raise ValueError(message)
    if source.codec.event_types is not target.codec.event_types:
        message = "the source and the target have two registries: open both with one event_types"
        raise ValueError(message)
