"""A snapshot store that is closed and opened again, or open twice at the same time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from eventsourcing_core.stores._snapshot_store import Snapshot, SnapshotStore
from eventsourcing_core.testing._contract import AsyncContract, NewSnapshotLocation
from eventsourcing_core.testing._samples import ALIKE
from eventsourcing_core.testing._skipping import skip_unless_met

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.testing._contract import OpenSnapshotStore


def snapshot(version: int, aggregate_id: str = "doc-1", state: bytes = b"state") -> Snapshot:
    """Make a snapshot that differs from that of any other version."""
    taken = datetime(2026, 11, 23, 12, 0, 0, version % 1_000_000, tzinfo=UTC)
    return Snapshot(aggregate_id, version, state + b" %d" % version, "json", "1:abc", taken)


class SnapshotChapter(AsyncContract):
    """A chapter of the contract of snapshot stores: its fixtures."""

    @pytest.fixture
    def new_location(self, request: pytest.FixtureRequest) -> NewSnapshotLocation:
        """Override this: return what gives, at each call, the opener of a new, empty store."""
        skip_unless_met(request)
        message = (
            "override the fixture new_location (for a store that cannot be opened again: set "
            "is_durable = False, and override the fixture open_store instead); see "
            "eventsourcing_core.testing"
        )
        raise NotImplementedError(message)

    @pytest.fixture
    def open_store(self, new_location: NewSnapshotLocation) -> OpenSnapshotStore:
        """Return what opens a new, empty store; for stores that cannot be opened again."""

        def open_new() -> AbstractAsyncContextManager[SnapshotStore]:
            return new_location()()

        return open_new

    @pytest_asyncio.fixture(loop_scope="function")
    async def store(self, open_store: OpenSnapshotStore) -> AsyncIterator[SnapshotStore]:
        """Open a store."""
        async with open_store() as store:
            yield store

    @pytest.fixture
    def reopen(
        self, request: pytest.FixtureRequest, new_location: NewSnapshotLocation
    ) -> OpenSnapshotStore:
        """Return what opens stores at one location, which is new."""
        skip_unless_met(request)
        return new_location()


class ReopenedSnapshotContract(SnapshotChapter, needs=("is_durable",)):
    """Snapshots outlive the store that saved them."""

    async def test_snapshots_are_there_when_it_is_opened_again(
        self, reopen: OpenSnapshotStore
    ) -> None:
        async with reopen() as store:
            for version, name in enumerate(ALIKE, start=1):
                await store.save(snapshot(version, name))
            for version in (2, 300, 9, 10):
                await store.save(snapshot(version, "aged"))
        for _ in range(2):
            async with reopen() as store:
                for version, name in enumerate(ALIKE, start=1):
                    assert await store.load(name) == snapshot(version, name)
                assert await store.load("aged") == snapshot(300, "aged")
                assert await store.load("aged", max_version=299) == snapshot(10, "aged")
                assert await store.load("unknown") is None

    async def test_what_was_pruned_is_not_there_when_it_is_opened_again(
        self, reopen: OpenSnapshotStore
    ) -> None:
        async with reopen() as store:
            for version in (1, 2, 3):
                await store.save(snapshot(version))
                await store.save(snapshot(version, "doc-2"), keep=1)
            await store.prune("doc-1", keep=0)
        async with reopen() as store:
            assert await store.load("doc-1") is None
            assert await store.load("doc-2") == snapshot(3, "doc-2")
            assert await store.load("doc-2", max_version=2) is None


class SharedSnapshotContract(SnapshotChapter, needs=("is_shared",)):
    """No handle holds on to what another one has replaced or pruned."""

    async def test_each_handle_sees_what_the_other_saves_and_prunes(
        self, reopen: OpenSnapshotStore
    ) -> None:
        async with reopen() as one, reopen() as other:
            assert await one.load("doc-1") is None
            for version in range(1, 13):
                saver, loader = (one, other) if version % 2 else (other, one)
                await saver.save(snapshot(version))
                assert await loader.load("doc-1") == snapshot(version)
                again = snapshot(version, state=b"again")
                await loader.save(again, keep=2)
                assert await saver.load("doc-1") == again
            await one.prune("doc-1", keep=0)
            assert await other.load("doc-1") is None
            assert await one.load("doc-1") is None

    async def test_closing_one_handle_leaves_the_snapshots_of_the_other(
        self, reopen: OpenSnapshotStore
    ) -> None:
        async with reopen() as one:
            await one.save(snapshot(1))
            async with reopen() as other:
                await other.save(snapshot(2))
            assert await one.load("doc-1") == snapshot(2)
            await one.save(snapshot(3))
            assert await one.load("doc-1") == snapshot(3)
