"""An append that says what it expects can be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.testing._appends.append import NO_STREAM
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._event_store import EventStore


class RepetitionContract(Chapter):
    """Repeated appends, and those that look like one."""

    @pytest.mark.parametrize("expected", [0, NO_STREAM])
    async def test_a_repeated_append_gives_the_original_result(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        original = await store.append("doc-1", events, expected_version=expected)
        assert await store.append("doc-1", events, expected_version=expected) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_a_repeated_append_to_an_existing_stream_gives_the_original_result(
        self, store: EventStore
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=1)
        assert await store.append("doc-1", events, expected_version=1) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3]

    async def test_an_append_is_repeated_after_later_appends(self, store: EventStore) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=1)
        await store.append("doc-1", counted(4, 5), expected_version=3)
        await store.append("other", counted(6), expected_version=0)
        assert await store.append("doc-1", events, expected_version=1) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3, 4, 5, 6]

    async def test_ids_at_another_place_than_expected_are_a_conflict(
        self, store: EventStore
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        await store.append("doc-1", events, expected_version=1)
        for expected in (0, 2):
            with pytest.raises(ConcurrencyError):
                await store.append("doc-1", events, expected_version=expected)
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3]

    async def test_stored_events_followed_by_a_new_one_are_a_conflict(
        self, store: EventStore
    ) -> None:
        events = counted(1, 2)
        await store.append("doc-1", events, expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", [*events, *counted(3)], expected_version=0)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_a_stored_event_before_a_different_one_is_a_conflict(
        self, store: EventStore
    ) -> None:
        events = counted(1, 2)
        await store.append("doc-1", events, expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", [events[0], *counted(3)], expected_version=0)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_the_beginning_of_an_append_counts_as_repeated(self, store: EventStore) -> None:
        events = counted(1, 2, 3)
        await store.append("doc-1", events, expected_version=0)
        first, second, _ = await collected(store.read("doc-1"))
        result = await store.append("doc-1", events[:2], expected_version=0)
        assert first.position < result.position
        assert result == (2, second.position)
