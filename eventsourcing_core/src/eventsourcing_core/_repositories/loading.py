"""Loading: an aggregate is made of its snapshot and its events, or goes on from where it was."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.fold import fold_after
from eventsourcing_core._aggregates.notebook import StoredAs, note, stored_as
from eventsourcing_core._encoding.transaction import transaction_given
from eventsourcing_core._errors import EventSourcingError
from eventsourcing_core._repositories.checks import check_kept
from eventsourcing_core._snapshots.source import Source
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._snapshots.kind import AggregateKind
    from eventsourcing_core._snapshots.snapshots import Snapshots
    from eventsourcing_core.stores._event_store import EventStore

A = TypeVar("A", bound=Aggregate)


class Loading(Generic[A]):
    """Loads the aggregates of one class from one store.

    Args:
        store: Where the events are.
        aggregate_class: The class.
        kind: How its events are applied.
        snapshots: Its snapshots; None for none.
    """

    def __init__(
        self,
        store: EventStore,
        aggregate_class: type[A],
        kind: AggregateKind[A],
        snapshots: Snapshots[A] | None,
    ) -> None:
        self.store = store
        """Where the events are."""
        self.snapshots = snapshots
        """What it loads and takes snapshots by; None: by nothing."""
        self._class = aggregate_class
        self._kind = kind

    async def load(
        self,
        id: str,  # noqa: A002 - the word of the domain
        at_version: int | None = None,
        transaction: Transaction | None = None,
    ) -> A:
        """Load an aggregate; a new one if it has no events. See ``Repository.load``."""
        check_whole("at_version", at_version, lowest=1, may_be_none=True)
        source = self.source(transaction)
        started = perf_counter()
        new = self._class(id)
        stream_id = new.stream_id

        if self.snapshots is None:
            pages = source.events.read_pages(stream_id, to_version=at_version)
            folded = await self._kind.fold(pages, new, 0)
        else:
            folded = await self.snapshots.load(
                source, stream_id, new, lambda: self._class(id), at_version
            )

        aggregate, version = folded.state, folded.version
        # Set at the end, whether a snapshot was used or not: apply may not depend on it.
        aggregate.version = version
        seconds = perf_counter() - started
        await check_kept(source.events, aggregate, at_version)
        note(
            aggregate,
            StoredAs(
                version,
                folded.position,
                folded.event_id,
                folded.snapshot_version,
                seconds,
                folded.untyped,
                home=self,
            ),
        )
        return aggregate

    async def go_on(self, aggregate: A) -> bool:
        """Apply what came after an aggregate was loaded, if its last event is still in the stream.

        If it is not, or cannot be gone on from, give False: the aggregate is then of no use.
        """
        stored = stored_as(aggregate)
        if any(map(self._kind.knows, stored.untyped)):  # a class came that it was made without
            return False
        started = perf_counter()
        aggregate.version = 0  # until the end, as in a load
        try:
            folded = await fold_after(
                self.store,
                aggregate.stream_id,
                self._kind.fold,
                aggregate,
                version=stored.version,
                event_id=stored.event_id,
                to_version=None,
            )
        except EventSourcingError:
            raise
        except Exception:  # noqa: BLE001 - apply never fails: whoever loads it all sees what it is
            return False
        if isinstance(folded, str):
            return False

        aggregate.version = folded.version
        seconds = perf_counter() - started
        note(
            aggregate,
            replace(
                stored,
                version=folded.version,
                position=folded.position,
                event_id=folded.event_id,
                load_seconds=seconds,
                untyped={**folded.untyped, **stored.untyped},
            ),
        )
        return True

    def source(self, transaction: Transaction | None) -> Source:
        """Give where to load from; a transaction reads its backend's snapshots by itself."""
        snapshots = None if self.snapshots is None else self.snapshots.store
        if transaction is None:
            return Source(self.store, snapshots)
        transaction_given(transaction).check_is_of(self.store)
        if snapshots is not None and transaction.is_snapshot_store(snapshots):
            snapshots = transaction.snapshot_store
        return Source(transaction, snapshots)
