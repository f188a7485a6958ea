"""Saving: what is noted of an aggregate once its events are stored, now or when it commits."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.notebook import UNKNOWN, stored_as
from eventsourcing_core._errors import ConcurrencyError, StorageError, missing_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._events.event import Event
    from eventsourcing_core._snapshots.snapshots import Snapshots
    from eventsourcing_core.stores._event_store import AppendResult, EventStore, StreamStore

A = TypeVar("A", bound=Aggregate)


class Saved(NamedTuple):
    """Where an aggregate stands in the store once it is saved."""

    version: int
    """The version of its last stored event; 0 if it has none."""
    position: int
    """The position of that event, or of one stored together with it: readers that are at it have
    seen the save. 0 if it has none."""


async def save_pending(store: EventStore, aggregate: Aggregate) -> Saved:
    """Append the pending events of an aggregate, those first that may be stored already.

    What may have reached the store is repeated as it was, append by append, and the rest comes
    after it: only so each is known again.
    """
    stored = stored_as(aggregate)
    for batch in batches_of(aggregate.pending_events, stored.in_doubt):
        expected = aggregate.version - len(aggregate.pending_events)
        try:
            result = await store.append(aggregate.stream_id, batch, expected_version=expected)
        except ConcurrencyError as conflict:
            await check_conflict(store, conflict)
            raise
        except (StorageError, CancelledError):
            stored.in_doubt = stored.in_doubt or (len(batch),)
            raise
        left = stored.in_doubt[1:]
        note_stored(aggregate, batch, result)
        stored.in_doubt = left
    return Saved(aggregate.version - len(aggregate.pending_events), stored.position)


async def check_conflict(store: StreamStore, conflict: ConcurrencyError) -> None:
    """Refuse to send whoever met a conflict to load again, if what it is about cannot be loaded.

    A stream keeps its version when its last events are deleted by hand.

    Raises:
        StorageError: It says which event is missing.
    """
    there = await store.stream_version(conflict.stream_id)
    if there < conflict.actual:
        raise missing_events(conflict.stream_id, there + 1) from conflict


def batches_of(
    events: Sequence[Event[Any]], sizes: Sequence[int]
) -> Iterator[Sequence[Event[Any]]]:
    """Split events into appends of these sizes, and one of the rest."""
    for size in (*sizes, len(events)):
        batch, events = events[:size], events[size:]
        if batch:
            yield batch


def in_doubt_and_fresh(
    events: Sequence[Event[Any]], sizes: Sequence[int]
) -> tuple[list[Sequence[Event[Any]]], Sequence[Event[Any]]]:
    """Split events into appends of these sizes, of which nobody knows, and the rest."""
    count = sum(sizes)
    return [*batches_of(events[:count], sizes)], events[count:]


def note_stored(aggregate: Aggregate, events: Sequence[Event[Any]], result: AppendResult) -> None:
    """Note that pending events are stored: they are pending no longer."""
    expected = aggregate.version - len(aggregate.pending_events)
    aggregate.clear_pending(events)
    stored = stored_as(aggregate)
    # Otherwise its state holds events that were given up, or lacks some: nobody knows of which.
    is_known = stored.version == expected
    stored.version = result.version if is_known else UNKNOWN
    stored.position = result.position
    stored.event_id = events[-1].raw_event_id


def _sizes_in(
    events: Sequence[Event[Any]], batches: Sequence[Sequence[Event[Any]]]
) -> tuple[int, ...]:
    """Give the sizes of batches that events begin with; none if these were given up meanwhile."""
    ids = [event.raw_event_id for batch in batches for event in batch]
    if [event.raw_event_id for event in events[: len(ids)]] != ids:
        return ()
    return tuple(map(len, batches))


async def take_if_due(snapshots: Snapshots[A], aggregate: A, before: int, version: int) -> None:
    """Take a snapshot after a save, if one is due; nothing is raised."""
    await snapshots.after_save(
        aggregate,
        stored_as(aggregate),
        aggregate.stream_id,
        before=before,
        version=version,
        is_more=aggregate.version != version,
    )


class SavingInside(Generic[A]):
    """Saves an aggregate in a transaction, perhaps several times, until that ends.

    Args:
        aggregate: What is saved.
        transaction: Where it is stored.
        snapshots: What takes a snapshot after the commit.
    """

    def __init__(
        self, aggregate: A, transaction: Transaction, snapshots: Snapshots[A] | None
    ) -> None:
        self._aggregate = aggregate
        self._transaction = transaction
        self._snapshots = snapshots
        self._before = aggregate.version - len(aggregate.pending_events)
        self.version = self._before
        """What the next append expects of its stream."""
        self._sent: list[Event[Any]] = []  # in the transaction
        self._sizes: list[int] = []  # of the appends that sent them
        in_doubt = stored_as(aggregate).in_doubt
        pending = aggregate.pending_events[: sum(in_doubt)]
        self._doubtful = [*batches_of(pending, in_doubt)]  # appends that may have sent them
        self._result: AppendResult | None = None

    async def save(self) -> Saved:
        """Append what was not appended yet in this transaction."""
        doubtful, rest = self.batches()
        for batch in (*doubtful, rest) if rest else doubtful:
            try:
                result = await self._transaction.append(
                    self.stream_id, batch, expected_version=self.version
                )
            except ConcurrencyError as conflict:
                await check_conflict(self._transaction, conflict)
                raise
            except (StorageError, CancelledError):
                self.note_lost(batch)
                raise
            self.note_appended(batch, result)
        return self.saved

    @property
    def stream_id(self) -> str:
        """The stream of the aggregate."""
        return self._aggregate.stream_id

    @property
    def saved(self) -> Saved:
        """Where the aggregate stands, once the transaction is committed."""
        if self._result is None:
            return Saved(self.version, stored_as(self._aggregate).position)
        return Saved(*self._result)

    def batches(self) -> tuple[list[Sequence[Event[Any]]], Sequence[Event[Any]]]:
        """Give what was not appended yet: as it may have been appended before, and the rest."""
        sent = {event.raw_event_id for event in self._sent}
        pending = self._aggregate.pending_events
        fresh = [event for event in pending if event.raw_event_id not in sent]
        return in_doubt_and_fresh(fresh, _sizes_in(fresh, self._doubtful))

    def note_appended(self, batch: Sequence[Event[Any]], result: AppendResult) -> None:
        """Note that a batch is in the transaction."""
        self._result = result
        self._doubtful = self._doubtful[1:]
        self._sizes.append(len(batch))
        self._sent += batch
        self.version += len(batch)

    def note_lost(self, batch: Sequence[Event[Any]]) -> None:
        """Note that nobody knows of a batch: it may be in the transaction, and be committed."""
        self._doubtful = self._doubtful or [batch]

    def note_stored(self) -> None:
        """Note that what was appended is stored."""
        if self._result is not None:
            note_stored(self._aggregate, self._sent, self._result)
        left = _sizes_in(self._aggregate.pending_events, self._doubtful)
        stored_as(self._aggregate).in_doubt = left

    def note_doubt(self) -> None:
        """Note that what was appended may be stored or not."""
        appended = [*batches_of(self._sent, self._sizes), *self._doubtful]
        doubtful = _sizes_in(self._aggregate.pending_events, appended)
        stored_as(self._aggregate).in_doubt = doubtful

    async def take_snapshot(self) -> None:
        """Take a snapshot of what was stored, if one is due."""
        if self._snapshots is not None and self._sent:
            await take_if_due(self._snapshots, self._aggregate, self._before, self.version)


def saving_inside(
    aggregate: A, transaction: Transaction, snapshots: Snapshots[A] | None
) -> SavingInside[A]:
    """Give what saves this aggregate in this transaction; the same each time."""
    end = transaction.end
    # By identity, so what was kept for this aggregate is of its class.
    saving = cast("SavingInside[A] | None", end.savings.get(id(aggregate)))
    if saving is None:
        saving = SavingInside(aggregate, transaction, snapshots)
        end.savings[id(aggregate)] = saving  # keeps the aggregate alive, too
        end.on_commit.append(saving.note_stored)
        end.after_commit.append(saving.take_snapshot)
        end.in_doubt.append(saving.note_doubt)
    return saving
