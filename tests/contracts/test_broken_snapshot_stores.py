"""What is wrong with these snapshot stores, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core.stores import Snapshot, StorageError
from eventsourcing_core.testing import NewSnapshotLocation, SnapshotStoreContract
from eventsourcing_inmemory import InMemorySnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_inmemory._snapshot_store import SnapshotShelf

INT64 = 2**63


class Broken(InMemorySnapshotStore):
    """A fault saves, loads or prunes in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()


class LastSavedWins(Broken):
    caught_by = (
        "test_the_highest_version_is_loaded_whatever_was_saved_last[order1",
        "test_the_highest_version_is_loaded_whatever_was_saved_last[order2",
        "test_max_version_is_inclusive[11",
        "test_prune_keeps_the_newest[1-",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        shelf = self._snapshots.setdefault(snapshot.aggregate_id, {})
        for version in [v for v in shelf if v > snapshot.version]:
            del shelf[version]
        await super().save(snapshot, keep=keep)


class FirstSavedStays(Broken):
    caught_by = ("test_a_snapshot_of_the_same_version_is_replaced",)

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        if snapshot.version not in self._snapshots.get(snapshot.aggregate_id, {}):
            await super().save(snapshot, keep=keep)


class OneVersionOnly(Broken):
    caught_by = (
        "test_max_version_is_inclusive[2-",
        "test_a_snapshot_of_the_same_version_is_replaced",
        "test_prune_leaves_other_aggregates_alone",
        "test_concurrent_saves_are_all_kept",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        self._snapshots.pop(snapshot.aggregate_id, None)
        await super().save(snapshot, keep=keep)


class MaxVersionExclusive(Broken):
    caught_by = (
        "test_max_version_is_inclusive[2-",
        "test_max_version_is_inclusive[5-",
        "test_max_version_is_inclusive[10-",
    )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        if max_version is not None and max_version > 1:
            max_version -= 1
        return await super().load(aggregate_id, max_version=max_version)


class MaxVersionIgnored(Broken):
    caught_by = (
        "test_max_version_is_inclusive[1-",
        "test_max_version_is_inclusive[4-",
        "test_a_max_version_below_1_is_refused",
        "test_concurrent_saves_are_all_kept",
    )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:  # noqa: ARG002 - the fault
        return await super().load(aggregate_id)


class Numbers64BitsOnly(Broken):
    caught_by = (
        "test_max_version_is_inclusive[9223372036854775808",
        "test_max_version_is_inclusive[1180591620717411303424",
        "test_prune_keeps_the_newest[1180591620717411303424",
    )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        if max_version and max_version >= INT64:
            raise OverflowError
        return await super().load(aggregate_id, max_version=max_version)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        if keep >= INT64:
            raise OverflowError
        await super().prune(aggregate_id, keep=keep)


class UnknownIsAnError(Broken):
    caught_by = (
        "test_an_unknown_aggregate_has_no_snapshot",
        "test_prune_of_an_unknown_aggregate_does_nothing",
        "test_each_opened_store_is_new_and_empty",
    )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        if aggregate_id not in self._snapshots:
            raise StorageError
        return await super().load(aggregate_id, max_version=max_version)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        if aggregate_id not in self._snapshots:
            raise StorageError
        await super().prune(aggregate_id, keep=keep)


class IdsAlike(Broken):
    caught_by = (
        "test_aggregates_have_snapshots_of_their_own",
        "test_prune_leaves_other_aggregates_alone",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        name = snapshot.aggregate_id.lower()
        self._snapshots.setdefault(name, {})[snapshot.version] = snapshot
        if keep is not None:
            await self.prune(name, keep=keep)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        return await super().load(aggregate_id.lower(), max_version=max_version)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        await super().prune(aggregate_id.lower(), keep=keep)


class PruneKeepsTheOldest(Broken):
    caught_by = ("test_prune_keeps_the_newest[1-", "test_prune_keeps_the_newest[2-")

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        shelf = self._snapshots.get(aggregate_id, {})
        self._snapshots[aggregate_id] = {
            version: shelf[version] for version in sorted(shelf)[:keep]
        }


class PruneKeepsOneMore(Broken):
    caught_by = (
        "test_prune_keeps_the_newest[0-",
        "test_prune_keeps_the_newest[1-",
        "test_prune_keeps_the_newest[2-",
        "test_prune_leaves_other_aggregates_alone",
    )

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        await super().prune(aggregate_id, keep=keep + 1)


class PruneBeforeTheCheck(Broken):
    caught_by = ("test_a_negative_keep_is_refused",)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        if keep < 0:
            await super().prune(aggregate_id, keep=0)
        await super().prune(aggregate_id, keep=keep)


class PruneReachesTooFar(Broken):
    caught_by = (
        "test_prune_leaves_other_aggregates_alone",
        "test_prune_of_an_unknown_aggregate_does_nothing",
    )

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        for other in list(self._snapshots):
            await super().prune(other, keep=keep)
        await super().prune(aggregate_id, keep=keep)


class PrunedForEver(Broken):
    caught_by = ("test_a_pruned_version_can_be_saved_again",)

    pruned = False

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        if not self.pruned:
            await super().save(snapshot, keep=keep)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        self.pruned = True
        await super().prune(aggregate_id, keep=keep)


class KeepIgnored(Broken):
    caught_by = (
        "test_a_save_keeps_the_newest[1-",
        "test_a_save_keeps_the_newest[2-",
        "test_a_save_of_the_same_version_keeps_the_newest",
        "test_a_save_leaves_other_aggregates_alone",
        "test_concurrent_saves_never_lose_the_newest",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:  # noqa: ARG002 - the fault
        await super().save(snapshot)


class KeepCountsTheOthers(Broken):
    """Prunes by what was there before, as one statement of SQL sees it."""

    caught_by = (
        "test_a_save_keeps_the_newest[1-",
        "test_a_save_keeps_the_newest[2-",
        "test_a_slow_save_removes_nothing_newer[1-",
        "test_concurrent_saves_never_lose_the_newest",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        if keep is not None:
            await self.prune(snapshot.aggregate_id, keep=keep)
        await super().save(snapshot)


class WhatIsSavedAlwaysStays(Broken):
    """Prunes the others to make place, so that a slow writer pushes out what is newer."""

    caught_by = (
        "test_a_slow_save_removes_nothing_newer[1-",
        "test_a_slow_save_removes_nothing_newer[2-",
    )

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        if keep is not None:
            await self.prune(snapshot.aggregate_id, keep=keep - 1)
        await super().save(snapshot)


class KeepReachesTooFar(Broken):
    caught_by = ("test_a_save_leaves_other_aggregates_alone",)

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(snapshot, keep=keep)
        for other in list(self._snapshots):
            if keep is not None:
                await self.prune(other, keep=keep)


class SavedBeforeTheCheck(Broken):
    caught_by = ("test_a_save_that_keeps_nothing_is_refused",)

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(snapshot)
        await super().save(snapshot, keep=keep)


class ChangesWhatIsSaved(Broken):
    """The faults below change a field each."""

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        raise NotImplementedError

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(replace(snapshot, **self.changes(snapshot)), keep=keep)


class StateEndsAtNul(ChangesWhatIsSaved):
    caught_by = (
        "test_bytes_come_back[\\x00",
        "test_bytes_come_back[\\x00\\x01",
        "test_bytes_come_back[\\x00\\xff",
    )

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        return {"state": snapshot.state.partition(b"\0")[0]}


class StateIsABuffer(ChangesWhatIsSaved):
    caught_by = ("test_bytes_come_back",)

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        return {"state": bytearray(snapshot.state)}


class StateVersionForgotten(ChangesWhatIsSaved):
    caught_by = ("test_a_snapshot_is_loaded_as_it_was_saved", "test_texts_come_back")

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:  # noqa: ARG002 - the fault
        return {"state_version": ""}


class TimeInSeconds(ChangesWhatIsSaved):
    caught_by = (
        "test_a_snapshot_is_loaded_as_it_was_saved",
        "test_times_come_back_to_the_microsecond[created_at0",
        "test_times_come_back_to_the_microsecond[created_at2",
        "test_times_come_back_to_the_microsecond[created_at4",
    )

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        return {"created_at": snapshot.created_at.replace(microsecond=0)}


class TimeInUtcByName(ChangesWhatIsSaved):
    """Writes the hours and minutes there, and reads them as UTC."""

    caught_by = ("test_times_come_back_to_the_microsecond[created_at1",)

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        return {"created_at": snapshot.created_at.replace(tzinfo=UTC)}


class TimeSince1970(ChangesWhatIsSaved):
    caught_by = (
        "test_times_come_back_to_the_microsecond[created_at2",
        "test_times_come_back_to_the_microsecond[created_at3",
    )

    def changes(self, snapshot: Snapshot) -> dict[str, Any]:
        year = max(1970, snapshot.created_at.year)
        return {"created_at": snapshot.created_at.replace(year=year)}


class SavesCollide(Broken):
    caught_by = ("test_concurrent_saves_are_all_kept",)

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        shelf = dict(self._snapshots.get(snapshot.aggregate_id, {}))
        await asyncio.sleep(0)
        self._snapshots[snapshot.aggregate_id] = shelf
        await super().save(snapshot, keep=keep)


class IdsUnchecked(Broken):
    caught_by = ("test_a_bad_id_is_refused",)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:  # noqa: ARG002 - the fault
        return self._snapshots.get(aggregate_id, {}).get(1)


class ClosedWorksOn(Broken):
    caught_by = ("test_a_closed_store_refuses",)

    def close(self) -> None:
        """Stay open."""


class NotNewEachTime(Broken):
    caught_by = ("test_each_opened_store_is_new_and_empty",)

    kept: ClassVar[dict[str, dict[int, Snapshot]]] = {}

    def __init__(self, _: SnapshotShelf) -> None:
        super().__init__(self.kept)


class HasNoPrune:
    """Two of the three methods."""

    caught_by = ("test_a_store_has_the_methods_of_the_port",)

    def __init__(self, shelf: SnapshotShelf) -> None:
        store = InMemorySnapshotStore(shelf)
        self.save, self.load, self.close = store.save, store.load, store.close


class LargeVersionsWrap(Broken):
    caught_by = ("test_versions_may_be_large",)

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(replace(snapshot, version=snapshot.version % 2**32 or 1), keep=keep)


class KeysOfFiveHundredBytes(Broken):
    """Looks at so much of an id, as a key of some databases may have."""

    caught_by = (
        "test_aggregates_have_snapshots_of_their_own",
        "test_aggregates_that_are_alike_are_pruned_one_by_one",
        "test_snapshots_are_there_when_it_is_opened_again",
    )

    def key(self, aggregate_id: str) -> str:
        return aggregate_id.encode()[:500].decode(errors="ignore")

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        own = replace(snapshot, aggregate_id=self.key(snapshot.aggregate_id))
        await super().save(own, keep=keep)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        found = await super().load(self.key(aggregate_id), max_version=max_version)
        return None if found is None else replace(found, aggregate_id=aggregate_id)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        await super().prune(self.key(aggregate_id), keep=keep)


class LosesAllWhenClosed(Broken):
    caught_by = (
        "test_snapshots_are_there_when_it_is_opened_again",
        "test_closing_one_handle_leaves_the_snapshots_of_the_other",
    )

    def close(self) -> None:
        super().close()
        self._snapshots.clear()


class PrunesWhatItSavedItself(Broken):
    """Forgets what was pruned, and writes all that it ever had when it is closed."""

    caught_by = ("test_what_was_pruned_is_not_there_when_it_is_opened_again",)

    def __init__(self, shelf: SnapshotShelf) -> None:
        super().__init__(shelf)
        self.saved: list[Snapshot] = []

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(snapshot, keep=keep)
        self.saved.append(snapshot)

    def close(self) -> None:
        super().close()
        for snapshot in self.saved:
            self._snapshots.setdefault(snapshot.aggregate_id, {})[snapshot.version] = snapshot


class RemembersWhatItSaved(Broken):
    caught_by = ("test_each_handle_sees_what_the_other_saves_and_prunes",)

    def __init__(self, shelf: SnapshotShelf) -> None:
        super().__init__(shelf)
        self.newest: dict[str, Snapshot] = {}

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        await super().save(snapshot, keep=keep)
        self.newest[snapshot.aggregate_id] = snapshot

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        known = self.newest.get(aggregate_id)
        return known or await super().load(aggregate_id, max_version=max_version)


class TestBrokenSnapshotStores(SnapshotStoreContract):
    faults = (
        *(fault for fault in Broken.__subclasses__() if fault.caught_by),
        *ChangesWhatIsSaved.__subclasses__(),
        HasNoPrune,
    )
    deadline = 0.3

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> NewSnapshotLocation:
        @asynccontextmanager
        async def opened(shelf: SnapshotShelf) -> AsyncIterator[Broken]:
            store = fault(shelf)
            yield store
            store.close()

        return lambda: partial(opened, {})
