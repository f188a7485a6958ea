"""An event id occurs once in a store, so any append can be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError, SerializationError
from eventsourcing_core._events.event import Event
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY, NO_STREAM, STREAM_EXISTS
from eventsourcing_core.testing._appends.concurrency import outcomes_of
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._event_store import EventStore


class UniqueIdContract(Chapter, needs=(Guarantee.UNIQUE_EVENT_IDS,)):
    """Appends that are repeated whatever they expect, and event ids that occur twice."""

    async def test_an_append_to_any_version_is_repeated(self, store: EventStore) -> None:
        events = counted(1, 2)
        original = await store.append("doc-1", events, expected_version=ANY)
        assert await store.append("doc-1", events, expected_version=ANY) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    @pytest.mark.parametrize("expected", [ANY, STREAM_EXISTS])
    async def test_an_append_to_any_version_of_an_existing_stream_is_repeated(
        self, store: EventStore, expected: ExpectedVersion
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=expected)
        assert await store.append("doc-1", events, expected_version=expected) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3]

    @pytest.mark.parametrize("expected", [ANY, STREAM_EXISTS])
    async def test_an_append_to_any_version_is_repeated_after_later_appends(
        self, store: EventStore, expected: ExpectedVersion
    ) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        original = await store.append("doc-1", events, expected_version=expected)
        await store.append("doc-1", counted(4, 5), expected_version=3)
        await store.append("other", counted(6), expected_version=0)
        assert await store.append("doc-1", events, expected_version=expected) == original
        assert numbers_of(await collected(store.read_all())) == [1, 2, 3, 4, 5, 6]

    async def test_several_events_are_written_all_or_none(self, store: EventStore) -> None:
        taken = counted(1)
        await store.append("other", taken, expected_version=0)
        with pytest.raises(DuplicateEventError):
            await store.append("doc-1", [*counted(2, 3), *taken], expected_version=0)
        assert await collected(store.read("doc-1")) == []
        assert numbers_of(await collected(store.read_all())) == [1]
        assert (await store.append("doc-1", counted(4), expected_version=0)).version == 1

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

    async def test_a_repetition_in_a_burst_has_the_result_of_the_first(
        self, store: EventStore
    ) -> None:
        events = counted(1, 2)
        outcomes = await outcomes_of(
            store.append("doc-1", events, expected_version=ANY),
            store.append("doc-1", counted(3), expected_version=ANY),
            store.append("doc-1", events, expected_version=ANY),
            store.append("doc-1", counted(4), expected_version=3),
            deadline=self.deadline,
        )
        stored = await collected(store.read("doc-1"))
        assert numbers_of(stored) == [1, 2, 3, 4]
        at = [AppendResult(event.version, event.position) for event in stored]
        assert outcomes == [at[1], at[2], at[1], at[3]]

    async def test_an_append_to_any_version_and_its_repetition_at_once_have_one_result(
        self, store: EventStore
    ) -> None:
        events = counted(1, 2)
        appends = [store.append("doc-1", events, expected_version=ANY) for _ in range(5)]
        outcomes = await outcomes_of(*appends, deadline=self.deadline)
        *_, last = await collected(store.read("doc-1"))
        assert outcomes == [AppendResult(2, last.position)] * 5
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_one_bad_append_among_good_ones_fails_alone(self, store: EventStore) -> None:
        taken = counted(-1)
        await store.append("other", taken, expected_version=0)
        bad = [
            store.append("other", counted(-2), expected_version=0),
            store.append("bad-1", [*counted(-3), *taken], expected_version=0),
            store.append("bad-2", [Event("bad", {"value": object()})], expected_version=0),
        ]
        good = [
            store.append(f"doc-{number}", counted(number), expected_version=0)
            for number in range(20)
        ]
        outcomes = await outcomes_of(*good[:10], *bad, *good[10:], deadline=self.deadline)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds[10:13] == [ConcurrencyError, DuplicateEventError, SerializationError]
        assert set(kinds[:10] + kinds[13:]) == {AppendResult}
        stored = numbers_of(await collected(store.read_all()))
        assert sorted(stored) == [-1, *range(20)]

    async def test_one_of_two_appends_with_the_same_id_wins(self, store: EventStore) -> None:
        events = counted(1)
        outcomes = await outcomes_of(
            store.append("a", [*counted(2), *events], expected_version=0),
            store.append("b", [*counted(2), *events], expected_version=0),
            deadline=self.deadline,
        )
        assert {type(outcome) for outcome in outcomes} == {AppendResult, DuplicateEventError}
        assert numbers_of(await collected(store.read_all())) == [2, 1]
