"""Repositories: load an aggregate, let it decide, save what it recorded."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eventsourcing_core._aggregate import Aggregate
from eventsourcing_core._errors import ConcurrencyError, StorageError
from eventsourcing_core._event_store import PagedEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from eventsourcing_core._event import Event, RecordedEvent
    from eventsourcing_core._event_store import AppendResult, EventStore

A = TypeVar("A", bound=Aggregate)


class Repository(Generic[A]):
    """The aggregates of one class, in one event store, under optimistic concurrency.

    Args:
        store: Where the events are.
        aggregate_class: The class to rebuild from them; it takes the id as its only argument.
    """

    def __init__(self, store: EventStore, aggregate_class: type[A]) -> None:
        self._store = store
        self._class = aggregate_class
        self._paged = store if isinstance(store, PagedEventStore) else None

    async def load(self, id: str, *, at_version: int | None = None) -> A:  # noqa: A002 - the word of the domain
        """Rebuild an aggregate from its events; a new one (version 0) if there are none.

        Args:
            id: The aggregate's id, without the category.
            at_version: Rebuild it as it was at that version.

        Raises:
            ValueError: If ``at_version`` is below 1, or was not reached yet.
            InvalidStreamIdError: If the id cannot be part of a stream id.
            SerializationError: If an event cannot be read; it says which.
            StorageError: If the store fails, or holds the stream with a hole.
        """
        if at_version is not None and at_version < 1:
            message = f"at_version must be 1 or more, got {at_version}"
            raise ValueError(message)
        aggregate = self._class(id)
        apply = aggregate.apply
        version = 0
        async for page in self._pages(aggregate.stream_id, at_version):
            for event in page:
                version += 1
                if event.version != version:
                    raise _hole(event.stream_id, version)
                apply(event)
        aggregate.version = version
        if at_version is not None and version < at_version:
            message = (
                f"{aggregate.stream_id!r} is at version {version}, {at_version} was not reached yet"
            )
            raise ValueError(message)
        return aggregate

    def _pages(
        self, stream_id: str, to_version: int | None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        if self._paged is not None:
            return self._paged.read_pages(stream_id, to_version=to_version)
        return _one_by_one(self._store.read(stream_id, to_version=to_version))

    async def save(self, aggregate: A) -> int:
        """Append the pending events; give the version of the stream.

        The pending events are cleared when they are stored, and kept when anything fails: saving
        again is then safe, also if the first attempt did reach the store.

        Raises:
            ConcurrencyError: If somebody saved the aggregate since it was loaded.
            SerializationError: If an event cannot be stored; nothing is.
            StorageError: If the store fails.
        """
        if not isinstance(aggregate, self._class):
            message = f"this repository keeps {self._class.__name__}, got {aggregate!r}"
            raise TypeError(message)
        pending, in_doubt = aggregate.pending_events, aggregate.in_doubt
        version = aggregate.version
        # What may have reached the store is repeated as it was, and the rest comes after it.
        for batch in (pending[:in_doubt], pending[in_doubt:]):
            if batch:
                version = (await self._append(aggregate, batch)).version
        return version

    async def _append(self, aggregate: A, batch: tuple[Event[Any], ...]) -> AppendResult:
        expected = aggregate.version - len(aggregate.pending_events)
        try:
            result = await self._store.append(aggregate.stream_id, batch, expected_version=expected)
        except (StorageError, asyncio.CancelledError):
            aggregate.in_doubt = len(batch)
            raise
        aggregate.clear_pending(batch)
        return result

    async def update(
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        *,
        attempts: int = 1,
    ) -> A:
        """Load, change and save, again from the start when somebody else was faster.

        Args:
            id: The aggregate's id.
            change: Gives commands to the aggregate; may be a coroutine function. It is called
                once per attempt, each time with a freshly loaded aggregate.
            attempts: How often to try at the most.

        Returns:
            The aggregate as saved.

        Raises:
            ConcurrencyError: If the last attempt met a conflict, too.
            ValueError: If ``attempts`` is below 1.
        """
        if attempts < 1:
            message = f"attempts must be 1 or more, got {attempts}"
            raise ValueError(message)
        while True:
            attempts -= 1
            aggregate = await self.load(id)
            outcome = change(aggregate)
            if inspect.isawaitable(outcome):
                await outcome
            try:
                await self.save(aggregate)
            except ConcurrencyError:
                if not attempts:
                    raise
            else:
                return aggregate


async def _one_by_one(
    events: AsyncIterator[RecordedEvent[Any]],
) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
    async for event in events:
        yield (event,)


def _hole(stream_id: str, version: int) -> StorageError:
    return StorageError(f"stream {stream_id!r} has no version {version}: events are missing")
