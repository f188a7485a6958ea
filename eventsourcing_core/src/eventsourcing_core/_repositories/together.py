"""Saving several aggregates together: all of them, or none."""

from __future__ import annotations

from asyncio import CancelledError
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Protocol, cast

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.known_types import check_known
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._encoding.transaction import transaction_given
from eventsourcing_core._errors import ConcurrencyError, StorageError, shown
from eventsourcing_core._repositories.saving import (
    Saved,
    check_conflict,
    in_doubt_and_fresh,
    note_stored,
    saving_inside,
    take_if_due,
)
from eventsourcing_core.stores._boundaries.words import StreamAt, ToStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._events.event import Event
    from eventsourcing_core._repositories.loading import Loading
    from eventsourcing_core._snapshots.snapshots import Snapshots
    from eventsourcing_core.stores._event_store import AppendResult

    Batch = Sequence[Event[Any]]


async def save_together(
    store: StorageEventStore, aggregates: Iterable[Aggregate], transaction: Transaction | None
) -> list[Saved]:
    """Save aggregates, all or none; see ``Backend.save_together``."""
    given = _checked(aggregates)
    if transaction is not None:
        transaction_given(transaction).check_is_of(store)
        inside = [saving_inside(each, transaction, _snapshots_of(each, store)) for each in given]
        await _append_all(transaction, inside)
        return [saving.saved for saving in inside]

    outside = [_Outside(each) for each in given]
    await _append_all(store, outside)
    for each, saving in zip(given, outside, strict=True):
        snapshots = _snapshots_of(each, store)
        if snapshots is not None and saving.has_stored:
            await take_if_due(snapshots, each, saving.before, saving.version)
    return [saving.saved for saving in outside]


class _Saving(Protocol):
    """What is to be appended of one aggregate; see ``SavingInside``."""

    version: int

    @property
    def stream_id(self) -> str: ...
    def batches(self) -> tuple[list[Batch], Batch]: ...
    def note_appended(self, batch: Batch, result: AppendResult) -> None: ...
    def note_lost(self, batch: Batch) -> None: ...


class _Outside:
    """Saves an aggregate outside of a transaction: what is appended is stored."""

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self.before = self.version = aggregate.version - len(aggregate.pending_events)
        self.stream_id = aggregate.stream_id

    @property
    def has_stored(self) -> bool:
        return self.version > self.before

    @property
    def saved(self) -> Saved:
        return Saved(self.version, stored_as(self._aggregate).position)

    def batches(self) -> tuple[list[Batch], Batch]:
        in_doubt = stored_as(self._aggregate).in_doubt
        return in_doubt_and_fresh(self._aggregate.pending_events, in_doubt)

    def note_appended(self, batch: Batch, result: AppendResult) -> None:
        left = stored_as(self._aggregate).in_doubt[1:]
        note_stored(self._aggregate, batch, result)
        stored_as(self._aggregate).in_doubt = left
        self.version = result.version

    def note_lost(self, batch: Batch) -> None:
        stored = stored_as(self._aggregate)
        stored.in_doubt = stored.in_doubt or (len(batch),)


async def _append_all(store: StorageEventStore | Transaction, savings: Sequence[_Saving]) -> None:
    """Append what is pending, as one group: those that have nothing are not to move meanwhile.

    What may have reached the store is repeated as it was, and the rest comes in a group after it:
    only so the store knows it again. See ``save_pending``.
    """
    doubtful, fresh = zip(*(saving.batches() for saving in savings), strict=True)
    for group in (*zip_longest(*doubtful, fillvalue=()), fresh):
        parts = [(saving, batch) for saving, batch in zip(savings, group, strict=True) if batch]
        if parts:
            await _append_group(store, parts, [each for each in savings if each not in dict(parts)])


async def _append_group(
    store: StorageEventStore | Transaction,
    parts: Sequence[tuple[_Saving, Batch]],
    others: Sequence[_Saving],
) -> None:
    """Append one group; the others are not to move meanwhile."""
    writes = [
        ToStream(saving.stream_id, batch, expected_version=saving.version)
        for saving, batch in parts
    ]
    requires = [StreamAt(saving.stream_id, saving.version) for saving in others]
    try:
        results = await store.append_together(writes, requires=requires)
    except ConcurrencyError as conflict:
        await check_conflict(store, conflict)
        raise
    except (StorageError, CancelledError):
        for saving, batch in parts:
            saving.note_lost(batch)
        raise
    for (saving, batch), result in zip(parts, results, strict=True):
        saving.note_appended(batch, result)


def _checked(aggregates: Iterable[Aggregate]) -> list[Aggregate]:
    """Refuse what cannot be saved together.

    Raises:
        TypeError: Something is no aggregate.
        ValueError: There is none, or one comes twice.
        UnknownEventTypeError: See ``check_known``.
    """
    if isinstance(aggregates, Aggregate):
        message = "save_together takes a list of aggregates: save one alone with its repository"
        raise TypeError(message)
    given = [*aggregates]
    if not given:
        message = "there is no aggregate to save: give one at least"
        raise ValueError(message)
    seen = set[str]()
    for each in given:
        if not isinstance(cast("object", each), Aggregate):
            message = f"save_together takes aggregates, got {shown(each)}"
            raise TypeError(message)
        if each.stream_id in seen:
            message = (
                f"{each.stream_id!r} comes twice among the aggregates to save: load it once, give "
                "all commands to that one, and name it once"
            )
            raise ValueError(message)
        seen.add(each.stream_id)
    if any(each.pending_events for each in given):
        for each in given:  # also those that were only read: what was decided depends on them
            check_known(each, stored_as(each), "saved")
    return given


def _snapshots_of(aggregate: Aggregate, store: StorageEventStore) -> Snapshots[Any] | None:
    """Give the snapshots of the repository that has loaded an aggregate from this store."""
    home = cast("Loading[Any] | None", stored_as(aggregate).home)  # nobody else writes it there
    return home.snapshots if home is not None and home.store is store else None
