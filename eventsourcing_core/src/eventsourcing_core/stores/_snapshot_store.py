"""The port to a store of snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from eventsourcing_core._errors import shown
from eventsourcing_core._events.times import to_microseconds
from eventsourcing_core._names import check_stream_id
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The encoded state of an aggregate at one version: a cache, which can always be dropped.

    Raises:
        ValueError: A version below 1, or a time without a time zone.
        InvalidStreamIdError: The aggregate id is no stream id.
    """

    aggregate_id: str
    """The id of the aggregate's stream."""
    version: int
    """The version of the last event in the state."""
    state: bytes
    """The state, encoded."""
    encoding: str
    """The names of what made the bytes, as with events."""
    state_version: str
    """Which layout of the aggregate's class the state has."""
    created_at: datetime
    """When it was taken, with a time zone."""

    def __post_init__(self) -> None:
        """Check what stores rely on."""
        check_stream_id(self.aggregate_id)
        if self.version < 1:
            message = f"a snapshot's version must be 1 or more, got {shown(self.version)}"
            raise ValueError(message)
        to_microseconds(self.created_at)


@runtime_checkable
class SnapshotStore(Protocol):
    """Keeps snapshots of aggregates, several versions of each.

    Implemented by the backends; ``eventsourcing_core.testing.SnapshotStoreContract`` holds each
    of them to what is said here.
    """

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Keep a snapshot, beside those of other versions; the same version is replaced.

        With ``keep``, all but the newest ``keep`` snapshots of the aggregate are deleted with it,
        in the same transaction. Newest means the highest version, whatever was saved last: a
        snapshot that is older than ``keep`` others is not kept itself, and removes none of them.

        Raises:
            ValueError: A ``keep`` below 1.
            StorageError: The storage failed.
        """
        ...

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Give the newest snapshot (of at most a version), None if there is none.

        Raises:
            ValueError: A ``max_version`` below 1.
            InvalidStreamIdError: The id is no stream id.
            StorageError: The storage failed.
        """
        ...

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Delete all but the newest ``keep`` snapshots of an aggregate; 0 deletes all of them.

        Raises:
            ValueError: A negative ``keep``.
            InvalidStreamIdError: The id is no stream id.
            StorageError: The storage failed.
        """
        ...


def check_save(*, keep: int | None) -> None:
    """Check the arguments of ``SnapshotStore.save``; for stores. A ``Snapshot`` checks itself.

    Raises:
        ValueError: A ``keep`` below 1.
    """
    check_whole("keep", keep, lowest=1, may_be_none=True)


def check_load(aggregate_id: str, *, max_version: int | None) -> None:
    """Check the arguments of ``SnapshotStore.load``; for stores.

    Raises:
        ValueError: A ``max_version`` below 1.
        InvalidStreamIdError: The id is no stream id.
    """
    check_stream_id(aggregate_id)
    check_whole("max_version", max_version, lowest=1, may_be_none=True)


def check_prune(aggregate_id: str, *, keep: int) -> None:
    """Check the arguments of ``SnapshotStore.prune``; for stores.

    Raises:
        ValueError: A negative ``keep``.
        InvalidStreamIdError: The id is no stream id.
    """
    check_stream_id(aggregate_id)
    check_whole("keep", keep, lowest=0)
