"""What an append expects, and what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of, versions_of

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore

ANY, NO_STREAM, STREAM_EXISTS = (
    ExpectedVersion.ANY,
    ExpectedVersion.NO_STREAM,
    ExpectedVersion.STREAM_EXISTS,
)


class AppendContract(Chapter):
    """Appends, one after the other."""

    @pytest.mark.parametrize("expected", [0, ANY, NO_STREAM])
    async def test_a_new_stream_begins_at_version_1(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        result = await store.append("doc-1", counted(7), expected_version=expected)
        assert result.version == 1
        assert versions_of(await collected(store.read("doc-1"))) == [1]

    @pytest.mark.parametrize("expected", [3, ANY, STREAM_EXISTS])
    async def test_an_append_goes_on_after_the_last_version(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        await store.append("doc-1", counted(1, 2, 3), expected_version=0)
        result = await store.append("doc-1", counted(4, 5), expected_version=expected)
        assert result.version == 5
        events = await collected(store.read("doc-1"))
        assert versions_of(events) == [1, 2, 3, 4, 5]
        assert numbers_of(events) == [1, 2, 3, 4, 5]

    async def test_expected_version_0_is_checked(self, store: EventStore) -> None:
        await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(2), expected_version=0)

    async def test_no_stream_is_a_conflict_where_there_is_one(self, store: EventStore) -> None:
        await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(2), expected_version=NO_STREAM)

    async def test_stream_exists_is_a_conflict_where_there_is_none(self, store: EventStore) -> None:
        await store.append("other", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(2), expected_version=STREAM_EXISTS)

    @pytest.mark.parametrize("expected", [1, 3, 4, 2**63 - 1, 2**63, 2**70])
    async def test_another_version_is_a_conflict(self, store: EventStore, expected: int) -> None:
        await store.append("doc-1", counted(1, 2), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(3), expected_version=expected)

    async def test_a_version_of_an_unknown_stream_is_a_conflict(self, store: EventStore) -> None:
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(1), expected_version=1)

    @pytest.mark.parametrize("expected", [0, 1, 3, NO_STREAM])
    async def test_a_conflict_carries_the_facts(
        self, store: EventStore, expected: int | ExpectedVersion
    ) -> None:
        await store.append("doc-1", counted(1, 2), expected_version=0)
        with pytest.raises(ConcurrencyError) as caught:
            await store.append("doc-1", counted(3), expected_version=expected)
        facts = (caught.value.stream_id, caught.value.expected, caught.value.actual)
        assert facts == ("doc-1", expected, 2)

    async def test_a_conflict_with_a_missing_stream_says_version_0(self, store: EventStore) -> None:
        with pytest.raises(ConcurrencyError) as caught:
            await store.append("doc-1", counted(1), expected_version=STREAM_EXISTS)
        facts = (caught.value.stream_id, caught.value.expected, caught.value.actual)
        assert facts == ("doc-1", STREAM_EXISTS, 0)

    async def test_a_conflict_writes_nothing(self, store: EventStore) -> None:
        await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", counted(2, 3), expected_version=0)
        assert numbers_of(await collected(store.read("doc-1"))) == [1]
        assert numbers_of(await collected(store.read_all())) == [1]

    async def test_events_of_a_conflict_can_be_appended_afterwards(self, store: EventStore) -> None:
        events = counted(2, 3)
        await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.append("doc-1", events, expected_version=0)
        assert (await store.append("doc-1", events, expected_version=1)).version == 3

    async def test_a_result_is_the_place_of_the_last_event(self, store: EventStore) -> None:
        await store.append("other", counted(1, 2), expected_version=0)
        result = await store.append("doc-1", counted(3, 4, 5), expected_version=0)
        *_, last = await collected(store.read("doc-1"))
        assert isinstance(result, AppendResult)
        assert result == AppendResult(3, last.position)
        assert last.data == {"number": 5}

    async def test_versions_have_no_holes(self, store: EventStore) -> None:
        for number in range(1, 6):
            await store.append("doc-1", counted(number), expected_version=number - 1)
            with pytest.raises(ConcurrencyError):
                await store.append("doc-1", counted(-number), expected_version=number - 1)
            await store.append("other", counted(-number), expected_version=ANY)
        events = await collected(store.read("doc-1"))
        assert versions_of(events) == [1, 2, 3, 4, 5]
        assert numbers_of(events) == [1, 2, 3, 4, 5]

    async def test_each_stream_has_versions_of_its_own(self, store: EventStore) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        assert (await store.append("b", counted(3), expected_version=0)).version == 1
        assert (await store.append("a", counted(4), expected_version=2)).version == 3
        assert numbers_of(await collected(store.read("a"))) == [1, 2, 4]
        assert numbers_of(await collected(store.read("b"))) == [3]

    async def test_positions_increase_over_all_streams(self, store: EventStore) -> None:
        results = [
            await store.append(stream_id, counted(1, 2), expected_version=ANY)
            for stream_id in ("b", "a", "c", "a", "b")
        ]
        positions = [result.position for result in results]
        assert positions == sorted(set(positions))
        stored = [event.position for event in await collected(store.read_all())]
        assert stored == sorted(set(stored))
        assert stored[0] >= 1
        assert stored[1::2] == positions
