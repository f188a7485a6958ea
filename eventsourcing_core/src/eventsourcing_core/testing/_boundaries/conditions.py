"""Conditions: an append is refused if what its caller read has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores._boundaries.words import BoundaryError, Query, ToStream
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._boundaries.tags import OTHER, QUERIES, TAGGED, tagged
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import COUNTED, collected, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event import Event
    from eventsourcing_core.stores._boundaries.words import Marker
    from eventsourcing_core.stores._event_store import AppendResult

COURSE = Query(tags={"course"})
_MOST = 100


def on(stream_id: str, *events: Event[object]) -> list[ToStream]:
    """Give a group of one stream."""
    return [ToStream(stream_id, events, expected_version=ANY)]


async def decide(
    store: StorageEventStore, event: Event[object], marker: Marker, stream_id: str = "decided"
) -> tuple[AppendResult, ...]:
    """Append an event if nothing has changed."""
    return await store.append_together(on(stream_id, event), unless_changed=marker)


class ConditionContract(Chapter, needs=(Guarantee.BOUNDARIES,)):
    """What a marker lets pass, and what it refuses."""

    async def test_what_has_not_changed_passes(self, store: StorageEventStore) -> None:
        await store.append("s", [tagged(1, "course")], expected_version=0)
        view = await store.read_matching(COURSE)
        assert numbers_of(view.events) == [1]
        await decide(store, tagged(2, "course"), view.marker)
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_what_has_changed_is_refused(self, store: StorageEventStore) -> None:
        marker = (await store.read_matching(COURSE)).marker
        await store.append("s", [tagged(1, "course", "x")], expected_version=0)
        with pytest.raises(BoundaryError) as caught:
            await decide(store, tagged(2, "course"), marker)
        assert numbers_of(caught.value.events) == [1]
        assert caught.value.events == tuple(await collected(store.read_all()))

    async def test_what_does_not_match_does_not_refuse(self, store: StorageEventStore) -> None:
        query = Query(tags={"course", "full"}) | Query(tags={"course"}, event_types=[OTHER])
        marker = (await store.read_matching(query)).marker
        events = [tagged(1, "course"), tagged(2, "full"), tagged(3, event_type=OTHER), tagged(4)]
        await store.append("s", events, expected_version=0)
        await decide(store, tagged(5, "course"), marker)
        assert len(await collected(store.read_all())) == 5

    @pytest.mark.parametrize("name", QUERIES)
    async def test_a_condition_is_about_what_its_query_matches(
        self, store: StorageEventStore, name: str
    ) -> None:
        query, expected = QUERIES[name]
        for number, (event_type, tags) in enumerate(TAGGED):
            marker = (await store.read_matching(query)).marker
            event = tagged(number, *tags, event_type=event_type)
            await store.append("s", [event], expected_version=ANY)
            decided = tagged(99, "elsewhere", event_type="contract.none")
            if number not in expected:
                await decide(store, decided, marker)
                continue
            with pytest.raises(BoundaryError) as caught:
                await decide(store, decided, marker)
            assert numbers_of(caught.value.events) == [number]

    async def test_events_that_were_read_do_not_refuse(self, store: StorageEventStore) -> None:
        events = [tagged(number, "course") for number in range(150)]
        await store.append("s", events, expected_version=0)
        view = await store.read_matching(COURSE)
        assert numbers_of(view.events) == [*range(150)]
        await decide(store, tagged(150, "course"), view.marker)

    async def test_a_refusal_writes_nothing(self, store: StorageEventStore) -> None:
        marker = (await store.read_matching(COURSE)).marker
        await store.append("s", [tagged(1, "course")], expected_version=0)
        with pytest.raises(BoundaryError):
            await decide(store, tagged(2, "course"), marker, "s")
        assert await store.stream_version("s") == 1
        assert numbers_of(await collected(store.read_all())) == [1]

    async def test_the_new_marker_passes_once_the_missed_events_are_read(
        self, store: StorageEventStore
    ) -> None:
        marker = (await store.read_matching(COURSE)).marker
        await store.append("s", [tagged(1, "course")], expected_version=0)
        with pytest.raises(BoundaryError) as caught:
            await decide(store, tagged(2, "course"), marker)
        await store.append("s", [tagged(3, "other")], expected_version=1)
        await decide(store, tagged(4, "course"), caught.value.marker)
        with pytest.raises(BoundaryError) as again:
            await decide(store, tagged(5, "course"), caught.value.marker)
        assert numbers_of(again.value.events) == [4]

    async def test_a_refusal_has_the_first_hundred_missed_events(
        self, store: StorageEventStore
    ) -> None:
        marker = (await store.read_matching(COURSE)).marker
        events = [tagged(number, "course") for number in range(2 * _MOST + 5)]
        await store.append("s", events, expected_version=0)
        found: list[int] = []
        for _ in range(3):
            with pytest.raises(BoundaryError) as caught:
                await decide(store, tagged(-1, "course"), marker)
            assert len(caught.value.events) <= _MOST
            found += numbers_of(caught.value.events)
            marker = caught.value.marker
        assert found == [*range(2 * _MOST + 5)]
        await decide(store, tagged(-1, "course"), marker)

    async def test_a_decision_that_is_repeated_gives_its_first_result(
        self, store: StorageEventStore
    ) -> None:
        marker = (await store.read_matching(COURSE)).marker
        event = tagged(1, "course")
        first = await decide(store, event, marker)
        assert await decide(store, event, marker) == first
        await store.append("s", [tagged(2, "course")], expected_version=0)
        assert await decide(store, event, marker) == first
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_a_marker_is_used_up_by_a_decision_that_matches(
        self, store: StorageEventStore
    ) -> None:
        marker = (await store.read_matching(COURSE)).marker
        await decide(store, tagged(1, "other"), marker)
        await decide(store, tagged(2, "course"), marker)
        with pytest.raises(BoundaryError) as caught:
            await decide(store, tagged(3, "course"), marker)
        assert numbers_of(caught.value.events) == [2]

    async def test_of_racing_decisions_one_wins(self, store: StorageEventStore) -> None:
        queries = (
            COURSE,
            Query(event_types=[COUNTED]),
            Query(tags={"course", "x"}, event_types=[COUNTED]),
            Query(tags={"elsewhere"}) | COURSE,
            Query.all(),
        )
        for turn, query in enumerate(queries):
            marker = (await store.read_matching(query)).marker
            racing = [
                decide(store, tagged(number, "course", "x"), marker, f"s-{number}")
                for number in range(10)
            ]
            async with asyncio.timeout(self.deadline):
                outcomes = await asyncio.gather(*racing, return_exceptions=True)
            losers = [each for each in outcomes if isinstance(each, BoundaryError)]
            assert len(losers) == 9
            assert len({event.event_id for each in losers for event in each.events}) == 1
            assert len(await collected(store.read_all())) == turn + 1

    async def test_decisions_about_other_things_all_pass(self, store: StorageEventStore) -> None:
        async def decide_on(number: int) -> None:
            tag = f"course:{number}"
            for turn in range(3):
                view = await store.read_matching(Query(tags={tag}))
                assert numbers_of(view.events) == [*range(turn)]
                await decide(store, tagged(turn, tag), view.marker, f"s-{number}")

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*map(decide_on, range(20)))
        assert len(await collected(store.read_all())) == 60

    async def test_a_decision_is_right_beside_appends_without_a_condition(
        self, store: StorageEventStore
    ) -> None:
        decided: list[int] = []

        async def append(number: int) -> None:
            for _ in range(5):
                await store.append(f"s-{number}", [tagged(1, "course")], expected_version=ANY)

        async def count(number: int) -> None:
            view = await store.read_matching(COURSE)
            marker, seen = view.marker, len(view.events)
            while True:
                try:
                    await decide(store, tagged(seen, "course"), marker, f"d-{number}")
                except BoundaryError as error:
                    marker, seen = error.marker, seen + len(error.events)
                else:
                    decided.append(seen)
                    return

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*map(append, range(5)), *map(count, range(5)))
        everything = await collected(store.read_all())
        truth = [before for before, event in enumerate(everything) if event.stream_id[0] == "d"]
        assert [event.data["number"] for event in everything if event.stream_id[0] == "d"] == truth
        assert sorted(decided) == truth


class ConditionTransactionContract(Chapter, needs=(Guarantee.BOUNDARIES, "transactions")):
    """Conditions in a transaction."""

    async def test_a_decision_in_a_transaction_is_stored_with_it(
        self, store: StorageEventStore
    ) -> None:
        view = await store.read_matching(COURSE)
        async with store.transaction() as transaction:
            await transaction.append("s", [tagged(1)], expected_version=0, tags={"other"})
            await transaction.append_together(
                on("d", tagged(2, "course")), unless_changed=view.marker
            )
        assert numbers_of(await collected(store.read_all())) == [1, 2]

    async def test_a_refused_decision_leaves_a_transaction_usable(
        self, store: StorageEventStore
    ) -> None:
        view = await store.read_matching(COURSE)
        await store.append("s", [tagged(1, "course")], expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("t", [tagged(2)], expected_version=0)
            with pytest.raises(BoundaryError) as caught:
                await transaction.append_together(
                    on("d", tagged(3, "course")), unless_changed=view.marker
                )
            await transaction.append_together(
                on("d", tagged(4, "course")), unless_changed=caught.value.marker
            )
        assert numbers_of(await collected(store.read_all())) == [1, 2, 4]

    async def test_what_a_transaction_wrote_itself_refuses(self, store: StorageEventStore) -> None:
        view = await store.read_matching(COURSE)
        async with store.transaction() as transaction:
            await transaction.append("t", [tagged(1, "course")], expected_version=0)
            with pytest.raises(BoundaryError) as caught:
                await transaction.append_together(on("d", tagged(2)), unless_changed=view.marker)
            assert numbers_of(caught.value.events) == [1]

    async def test_a_decision_that_is_rolled_back_was_never_made(
        self, store: StorageEventStore
    ) -> None:
        view = await store.read_matching(COURSE)

        async def fail() -> None:
            async with store.transaction() as transaction:
                await transaction.append_together(
                    on("d", tagged(1, "course")), unless_changed=view.marker
                )
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        await decide(store, tagged(2, "course"), view.marker)
        assert numbers_of(await collected(store.read_all())) == [2]
