"""An append can be repeated, and an event id occurs once in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core.testing._append_contract import ANY, NO_STREAM, STREAM_EXISTS
from eventsourcing_core.testing._contract import OpenedEventStore
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._event_store import EventStore


class IdempotencyContract(OpenedEventStore):
    """Repeated appends, and event ids that occur twice."""

    @pytest.mark.parametrize("expected", [0, NO_STREAM, ANY])
    async def test_a_repeated_append_gives_the_original_result(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        original = await store.append("doc-1", events, expected_version=expected)
        assert await store.append("doc-1", events, expected_version=expected) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    @pytest.mark.parametrize("expected", [1, ANY, STREAM_EXISTS])
    async def test_a_repeated_append_to_an_existing_stream_gives_the_original_result(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=expected)
        assert await store.append("doc-1", events, expected_version=expected) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3]

    @pytest.mark.parametrize("expected", [1, ANY, STREAM_EXISTS])
    async def test_an_append_is_repeated_after_later_appends(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=expected)
        await store.append("doc-1", counted(4, 5), expected_version=3)
        await store.append("other", counted(6), expected_version=0)
        assert await store.append("doc-1", events, expected_version=expected) == original
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

    async def test_any_repeats_ids_that_stand_apart(self, store: EventStore) -> None:
        first, between, last = counted(1, 2, 3)
        original = await store.append("doc-1", [first, between, last], expected_version=0)
        assert await store.append("doc-1", [first, last], expected_version=ANY) == original

    @pytest.mark.parametrize("expected", [2, ANY, STREAM_EXISTS])
    async def test_ids_in_another_order_are_duplicates(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        await store.append("doc-1", events, expected_version=0)
        with pytest.raises(DuplicateEventError):
            await store.append("doc-1", events[::-1], expected_version=expected)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    @pytest.mark.parametrize("expected", [0, ANY, NO_STREAM])
    async def test_an_id_of_another_stream_is_a_duplicate(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        await store.append("other", events, expected_version=0)
        with pytest.raises(DuplicateEventError):
            await store.append("doc-1", events, expected_version=expected)
        assert await collected(store.read("doc-1")) == []
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    @pytest.mark.parametrize("expected", [2, ANY, STREAM_EXISTS])
    async def test_stored_ids_with_a_new_one_are_duplicates(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        events = counted(1, 2)
        await store.append("doc-1", events, expected_version=0)
        for mixture in ([*events, *counted(3)], [*counted(4), *events], [events[1], *counted(5)]):
            with pytest.raises(DuplicateEventError):
                await store.append("doc-1", mixture, expected_version=expected)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_stored_ids_at_the_expected_end_are_duplicates(self, store: EventStore) -> None:
        events = counted(1, 2)
        await store.append("doc-1", events, expected_version=0)
        with pytest.raises(DuplicateEventError):
            await store.append("doc-1", events, expected_version=2)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    @pytest.mark.parametrize("expected", [0, ANY, NO_STREAM])
    async def test_an_id_twice_in_one_append_is_a_duplicate(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        first, second = counted(1, 2)
        with pytest.raises(DuplicateEventError):
            await store.append("doc-1", [first, second, first], expected_version=expected)
        assert await collected(store.read_all()) == []

    async def test_a_duplicate_carries_the_facts(self, store: EventStore) -> None:
        first, second = counted(1, 2)
        await store.append("other", [first, second], expected_version=0)
        with pytest.raises(DuplicateEventError) as caught:
            await store.append("doc-1", [*counted(3), second], expected_version=0)
        facts = (caught.value.event_id, caught.value.stream_id, caught.value.version)
        assert facts == (second.event_id, "other", 2)
