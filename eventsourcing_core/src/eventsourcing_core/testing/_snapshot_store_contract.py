"""The contract of snapshot stores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import InvalidStreamIdError, StorageError
from eventsourcing_core.stores._snapshot_store import Snapshot, SnapshotStore
from eventsourcing_core.testing._handles.snapshots import (
    ReopenedSnapshotContract,
    SharedSnapshotContract,
    SnapshotChapter,
    snapshot,
)
from eventsourcing_core.testing._samples import ALIKE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from eventsourcing_core.testing._contract import OpenSnapshotStore

METHODS = ("save", "load", "prune")


def call(store: SnapshotStore, method: str, aggregate_id: str) -> Awaitable[object]:
    """Use one method of a store."""
    match method:
        case "save":
            return store.save(snapshot(1, aggregate_id))
        case "load":
            return store.load(aggregate_id)
        case _:
            return store.prune(aggregate_id, keep=1)


class SnapshotStoreContract(ReopenedSnapshotContract, SharedSnapshotContract, SnapshotChapter):
    """Every rule of ``SnapshotStore``, one test each; inherit and override ``new_location``.

    The fixture returns a callable. Each call makes a new, empty location, and gives what opens the
    store there: a callable that gives an async context manager of it, again and again.

    A store that cannot be opened again sets ``is_durable = False``, and overrides ``open_store``
    instead: a callable that opens a new, empty store. One that cannot be open twice at the same
    time sets ``is_shared = False``. What tests these is skipped then, and the skip is printed.
    """

    async def test_a_store_has_the_methods_of_the_port(self, store: SnapshotStore) -> None:
        assert isinstance(store, SnapshotStore)

    async def test_an_unknown_aggregate_has_no_snapshot(self, store: SnapshotStore) -> None:
        await store.save(snapshot(3, "other"))
        assert await store.load("doc-1") is None
        assert await store.load("doc-1", max_version=5) is None

    async def test_a_snapshot_is_loaded_as_it_was_saved(self, store: SnapshotStore) -> None:
        await store.save(snapshot(3))
        loaded = await store.load("doc-1")
        assert type(loaded) is Snapshot
        assert loaded == snapshot(3)

    @pytest.mark.parametrize("order", [(2, 5, 10), (10, 5, 2), (5, 10, 2)])
    async def test_the_highest_version_is_loaded_whatever_was_saved_last(
        self, store: SnapshotStore, order: tuple[int, ...]
    ) -> None:
        for version in order:
            await store.save(snapshot(version))
        assert await store.load("doc-1") == snapshot(10)

    @pytest.mark.parametrize(
        ("max_version", "expected"),
        [(1, None), (2, 2), (4, 2), (5, 5), (9, 5), (10, 10), (11, 10), (2**63, 10), (2**70, 10)],
    )
    async def test_max_version_is_inclusive(
        self, store: SnapshotStore, max_version: int, expected: int | None
    ) -> None:
        for version in (10, 2, 5):
            await store.save(snapshot(version))
        loaded = await store.load("doc-1", max_version=max_version)
        assert loaded == (None if expected is None else snapshot(expected))

    async def test_a_snapshot_of_the_same_version_is_replaced(self, store: SnapshotStore) -> None:
        first = snapshot(5)
        second = replace(
            first,
            state=b"new",
            encoding="msgpack",
            state_version="2",
            created_at=first.created_at + timedelta(days=1),
        )
        for each in (snapshot(4), first, second):
            await store.save(each)
        assert await store.load("doc-1") == second
        await store.prune("doc-1", keep=2)
        assert await store.load("doc-1", max_version=4) == snapshot(4)

    async def test_aggregates_have_snapshots_of_their_own(self, store: SnapshotStore) -> None:
        for version, name in enumerate(ALIKE, start=1):
            await store.save(snapshot(version, name))
        for version, name in enumerate(ALIKE, start=1):
            assert await store.load(name) == snapshot(version, name)
            assert await store.load(name, max_version=2**62) == snapshot(version, name)
            if version > 1:
                assert await store.load(name, max_version=version - 1) is None

    async def test_aggregates_that_are_alike_are_pruned_one_by_one(
        self, store: SnapshotStore
    ) -> None:
        for name in ALIKE:
            for version in (9, 10):
                await store.save(snapshot(version, name))
        for number, name in enumerate(ALIKE):
            if number % 3 == 0:
                await store.prune(name, keep=0)
            elif number % 3 == 1:
                await store.save(snapshot(11, name), keep=1)
        for number, name in enumerate(ALIKE):
            assert await self._versions(store, name) == [[], [11], [10, 9]][number % 3]

    async def test_versions_may_be_large(self, store: SnapshotStore) -> None:
        versions = [1, 255, 256, 2**16, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**53 + 1, 2**63 - 1]
        for version in (*versions[::2], *versions[1::2]):
            await store.save(snapshot(version))
        assert await self._versions(store, "doc-1") == versions[::-1]
        assert await store.load("doc-1", max_version=2**32 + 7) == snapshot(2**32 + 1)

    @pytest.mark.parametrize(
        ("keep", "expected"), [(0, []), (1, [9]), (2, [9, 7]), (3, [9, 7, 2]), (2**70, [9, 7, 2])]
    )
    async def test_prune_keeps_the_newest(
        self, store: SnapshotStore, keep: int, expected: list[int]
    ) -> None:
        for version in (7, 9, 2):
            await store.save(snapshot(version))
        await store.prune("doc-1", keep=keep)
        assert await self._versions(store, "doc-1") == expected

    async def test_prune_leaves_other_aggregates_alone(self, store: SnapshotStore) -> None:
        for name in ("doc-1", "doc-10", "Doc-1"):
            for version in (1, 2, 3):
                await store.save(snapshot(version, name))
        await store.prune("doc-1", keep=1)
        assert await self._versions(store, "doc-1") == [3]
        for name in ("doc-10", "Doc-1"):
            assert await self._versions(store, name) == [3, 2, 1]

    async def test_prune_of_an_unknown_aggregate_does_nothing(self, store: SnapshotStore) -> None:
        await store.save(snapshot(1))
        await store.prune("unknown", keep=0)
        assert await self._versions(store, "doc-1") == [1]

    @pytest.mark.parametrize(
        ("keep", "expected"), [(1, [9]), (2, [9, 7]), (3, [9, 7, 2]), (2**70, [9, 7, 2])]
    )
    async def test_a_save_keeps_the_newest(
        self, store: SnapshotStore, keep: int, expected: list[int]
    ) -> None:
        for version in (2, 7):
            await store.save(snapshot(version))
        await store.save(snapshot(9), keep=keep)
        assert await self._versions(store, "doc-1") == expected
        assert await store.load("doc-1") == snapshot(9)

    @pytest.mark.parametrize(
        ("keep", "expected"), [(1, [9]), (2, [9, 7]), (3, [9, 7, 4]), (4, [9, 7, 4, 2])]
    )
    async def test_a_slow_save_removes_nothing_newer(
        self, store: SnapshotStore, keep: int, expected: list[int]
    ) -> None:
        for version in (2, 7, 9):
            await store.save(snapshot(version))
        await store.save(snapshot(4), keep=keep)
        assert await self._versions(store, "doc-1") == expected
        assert await store.load("doc-1") == snapshot(9)

    @pytest.mark.parametrize(("version", "expected"), [(9, [9, 7]), (7, [9, 7]), (2, [9, 7])])
    async def test_a_save_of_the_same_version_keeps_the_newest(
        self, store: SnapshotStore, version: int, expected: list[int]
    ) -> None:
        for each in (2, 7, 9):
            await store.save(snapshot(each))
        again = replace(snapshot(version), state=b"new")
        await store.save(again, keep=2)
        assert await self._versions(store, "doc-1") == expected
        if version in expected:
            assert await store.load("doc-1", max_version=version) == again

    async def test_a_save_leaves_other_aggregates_alone(self, store: SnapshotStore) -> None:
        for name in ("doc-1", "doc-10", "Doc-1"):
            for version in (1, 2, 3):
                await store.save(snapshot(version, name))
        await store.save(snapshot(4), keep=1)
        assert await self._versions(store, "doc-1") == [4]
        for name in ("doc-10", "Doc-1"):
            assert await self._versions(store, name) == [3, 2, 1]

    async def test_concurrent_saves_never_lose_the_newest(self, store: SnapshotStore) -> None:
        versions = [*range(2, 21, 2), *range(1, 21, 2)]
        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*(store.save(snapshot(v), keep=2) for v in versions))
        assert await store.load("doc-1") == snapshot(20)
        await store.save(snapshot(21), keep=2)
        assert (await self._versions(store, "doc-1"))[0] == 21
        assert len(await self._versions(store, "doc-1")) == 2

    @pytest.mark.parametrize("keep", [0, -1, -(2**70)])
    async def test_a_save_that_keeps_nothing_is_refused(
        self, store: SnapshotStore, keep: int
    ) -> None:
        await store.save(snapshot(1))
        with pytest.raises(ValueError, match="keep must be 1 or more"):
            await store.save(snapshot(2), keep=keep)
        assert await self._versions(store, "doc-1") == [1]

    async def test_a_pruned_version_can_be_saved_again(self, store: SnapshotStore) -> None:
        await store.save(snapshot(1))
        await store.prune("doc-1", keep=0)
        await store.save(snapshot(1))
        assert await store.load("doc-1") == snapshot(1)

    @pytest.mark.parametrize("state", [b"", b"\0", bytes(range(256)), b"\0\xff" * 500_000])
    async def test_bytes_come_back(self, store: SnapshotStore, state: bytes) -> None:
        await store.save(replace(snapshot(1), state=state))
        loaded = await store.load("doc-1")
        assert loaded is not None
        assert type(loaded.state) is bytes
        assert loaded.state == state

    @pytest.mark.parametrize("text", ["x", "Zoë 日本語 🎉", "'; --", "e\u0301", "x" * 255])
    async def test_texts_come_back(self, store: SnapshotStore, text: str) -> None:
        saved = replace(snapshot(1), aggregate_id=text, encoding=text, state_version=text)
        await store.save(saved)
        assert await store.load(text) == saved

    @pytest.mark.parametrize(
        "created_at",
        [
            datetime(2026, 11, 23, 12, 30, 15, 123457, tzinfo=UTC),
            datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=5.5))),
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ],
    )
    async def test_times_come_back_to_the_microsecond(
        self, store: SnapshotStore, created_at: datetime
    ) -> None:
        await store.save(replace(snapshot(1), created_at=created_at))
        loaded = await store.load("doc-1")
        assert loaded is not None
        assert loaded.created_at == created_at
        assert loaded.created_at.utcoffset() is not None

    async def test_concurrent_saves_are_all_kept(self, store: SnapshotStore) -> None:
        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*(store.save(snapshot(version)) for version in range(1, 21)))
        assert await self._versions(store, "doc-1") == list(range(20, 0, -1))

    @pytest.mark.parametrize("aggregate_id", ["", "x" * 256, "tab\t", "\0", "\ud800"])
    async def test_a_bad_id_is_refused(self, store: SnapshotStore, aggregate_id: str) -> None:
        with pytest.raises(InvalidStreamIdError):
            await store.load(aggregate_id)
        with pytest.raises(InvalidStreamIdError):
            await store.prune(aggregate_id, keep=1)

    @pytest.mark.parametrize("max_version", [0, -1, -(2**70)])
    async def test_a_max_version_below_1_is_refused(
        self, store: SnapshotStore, max_version: int
    ) -> None:
        with pytest.raises(ValueError, match="max_version"):
            await store.load("doc-1", max_version=max_version)

    @pytest.mark.parametrize("keep", [-1, -(2**70)])
    async def test_a_negative_keep_is_refused(self, store: SnapshotStore, keep: int) -> None:
        await store.save(snapshot(1))
        with pytest.raises(ValueError, match="keep"):
            await store.prune("doc-1", keep=keep)
        assert await store.load("doc-1") == snapshot(1)

    async def test_each_opened_store_is_new_and_empty(self, open_store: OpenSnapshotStore) -> None:
        async with open_store() as first:
            await first.save(snapshot(1))
            async with open_store() as second:
                assert await second.load("doc-1") is None
        async with open_store() as third:
            assert await third.load("doc-1") is None

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_closed_store_refuses(self, open_store: OpenSnapshotStore, method: str) -> None:
        async with open_store() as store:
            await store.save(snapshot(1))
        with pytest.raises(StorageError):
            async with asyncio.timeout(self.deadline):
                await call(store, method, "doc-1")

    @staticmethod
    async def _versions(store: SnapshotStore, aggregate_id: str) -> list[int]:
        """List the versions there are, from the newest down."""
        versions: list[int] = []
        loaded = await store.load(aggregate_id)
        while loaded is not None:
            versions.append(loaded.version)
            below = loaded.version - 1
            loaded = await store.load(aggregate_id, max_version=below) if below else None
            assert loaded is None or loaded.version <= below  # else this never ends
        return versions
