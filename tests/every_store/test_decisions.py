"""Decisions by a query, on every store: nothing is missed, and only what was missed is read."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    BoundaryError,
    Event,
    ExpectedVersion,
    Query,
    Saved,
    ToStream,
    open_backend,
)
from tests.every_store._courses import (
    MOST_COURSES,
    SEATS,
    Join,
    Joined,
    Leave,
    Left,
    Lesson,
    RefusedError,
    Taken,
    about,
    faults_of,
    give,
    joining,
    types,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend
    from tests.every_store._courses import CourseEvent


@pytest.fixture
async def backend(store_url: str) -> AsyncIterator[Backend]:
    async with open_backend(store_url, event_types=types) as backend:
        yield backend


@pytest.fixture
async def other(store_url: str) -> AsyncIterator[Backend]:
    """Open the same store once more, as another process would."""
    async with open_backend(store_url, event_types=types) as other:
        yield other


async def happened(backend: Backend, *events: CourseEvent, stream_id: str = "elsewhere-1") -> int:
    """Store events that nobody has decided; give the position of the last one."""
    result = await backend.event_store.append(
        stream_id,
        [Event.of(each, event_types=types) for each in events],
        expected_version=ExpectedVersion.ANY,
    )
    return result.position


async def stored(backend: Backend) -> list[CourseEvent]:
    return [event.data async for event in backend.event_store.read_all()]


class Reads:
    """Counts how often a store is asked for what matches."""

    def __init__(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._read: Any = backend.event_store.read_matching
        monkeypatch.setattr(backend.event_store, "read_matching", self)

    async def __call__(self, query: Query) -> Any:
        self.count += 1
        return await self._read(query)


async def test_the_state_is_what_matches_of_all_streams_in_order(backend: Backend) -> None:
    await happened(backend, Joined("a", "1"), stream_id="one-1")
    await happened(backend, Joined("b", "9"), stream_id="two-1")
    await happened(backend, Joined("b", "1"), Left("a", "1"), stream_id="two-1")
    await happened(backend, Joined("a", "2"), stream_id="one-1")
    async with backend.decide(about("a", "1"), joining, stream_id="joining-a") as decision:
        assert decision.state == Taken((("b", "1"), ("a", "2")))


async def test_what_is_decided_is_stored_with_its_tags_and_is_in_the_state(
    backend: Backend, other: Backend
) -> None:
    last = await happened(backend, Joined("a", "1"))
    async with backend.decide(about("a", "2"), joining, stream_id="joining-a") as decision:
        saved = await decision.decide(Join("a", "2"))
        assert decision.state == Taken((("a", "1"), ("a", "2")))
    (event,) = [event async for event in other.event_store.read("joining-a")]
    assert event.data == Joined("a", "2")
    assert event.tags == {"course:a", "student:2"}
    assert saved == Saved(1, event.position)
    assert event.position > last


async def test_a_command_without_events_stores_nothing_and_tells_what_it_was_decided_by(
    backend: Backend,
) -> None:
    last = await happened(backend, Joined("a", "1"))
    async with backend.decide(about("a", "1"), joining, stream_id="joining-a") as decision:
        assert await decision.decide(Join("a", "1")) == Saved(0, last)
    assert len(await stored(backend)) == 1


async def test_what_was_missed_is_applied_and_the_command_is_decided_again(
    backend: Backend, other: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    await happened(backend, *(Joined("a", str(number)) for number in range(SEATS - 1)))
    reads = Reads(backend, monkeypatch)
    async with backend.decide(about("a", "x"), joining, stream_id="joining-a") as decision:
        await happened(other, Joined("a", "y"))
        with pytest.raises(RefusedError, match="full"):
            await decision.decide(Join("a", "x"))
        assert reads.count == 1
        await happened(other, Left("a", "y"))
        await decision.decide(Join("a", "x"))
        assert reads.count == 2  # nothing was appended that could have shown it
        await happened(other, Left("a", "1"))
        await decision.decide(Leave("a", "0"))
        assert reads.count == 2
        assert decision.state == Taken((("a", "x"),))
    assert faults_of(await stored(backend)) == []


async def test_an_event_that_does_not_match_is_no_reason_to_decide_again(
    backend: Backend, other: Backend
) -> None:
    about_one = about("a", "1")
    async with backend.decide(about_one, joining, stream_id="joining-a", attempts=1) as decision:
        await happened(other, Joined("b", "2"))
        await decision.decide(Join("a", "1"))
    assert await stored(backend) == [Joined("b", "2"), Joined("a", "1")]


async def test_the_last_attempt_gives_the_refusal_and_the_state_has_what_was_missed(
    backend: Backend, other: Backend
) -> None:
    about_one = about("a", "1")
    async with backend.decide(about_one, joining, stream_id="joining-a", attempts=1) as decision:
        await happened(other, Joined("a", "2"))
        with pytest.raises(BoundaryError) as caught:
            await decision.decide(Join("a", "1"))
        assert [event.data for event in caught.value.events] == [Joined("a", "2")]
        assert decision.state == Taken((("a", "2"),))
        await decision.decide(Join("a", "1"))
    assert await stored(backend) == [Joined("a", "2"), Joined("a", "1")]


async def test_a_command_that_raises_stores_nothing_and_leaves_the_state(backend: Backend) -> None:
    def join_and_fail(lesson: Lesson) -> None:
        lesson.join("a", "2")
        lesson.pairs.clear()
        raise LookupError

    await happened(backend, Joined("a", "1"))
    async with backend.decide(about("a", "1"), Lesson, stream_id="Lesson-a") as decision:
        with pytest.raises(LookupError):
            await decision.update(join_and_fail)
        assert decision.aggregate.pairs == [("a", "1")]
        assert not decision.aggregate.pending_events
        await decision.update(lambda lesson: lesson.join("a", "3"))
        assert decision.aggregate.pairs == [("a", "1"), ("a", "3")]
    assert await stored(backend) == [Joined("a", "1"), Joined("a", "3")]


async def test_several_commands_of_one_decision_see_each_other_and_count_as_one_attempt_each(
    backend: Backend, other: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(backend, monkeypatch)
    about_one = about("a", "1")
    async with backend.decide(about_one, joining, stream_id="joining-a", attempts=1) as decision:
        for student in range(SEATS):
            await decision.decide(Join("a", str(student)))
        with pytest.raises(RefusedError, match="full"):
            await decision.decide(Join("a", "late"))
        await decision.decide(Leave("a", "0"))
        await happened(other, Left("a", "1"))
        with pytest.raises(BoundaryError):
            await decision.decide(Join("a", "late"))
        assert decision.state == Taken((("a", "2"),))
        await decision.decide(Join("a", "late"))
    assert reads.count == 2  # a refusal by a state that is older than the call is made sure of
    assert faults_of(await stored(backend)) == []


async def test_tasks_that_share_a_decision_take_turns(backend: Backend) -> None:
    async with backend.decide(
        about("a", "1"), joining, stream_id="joining-a", attempts=1
    ) as decision:
        outcomes = await asyncio.gather(
            *(decision.decide(Join("a", str(student))) for student in range(SEATS + 4)),
            return_exceptions=True,
        )
    assert [type(each) for each in outcomes] == [Saved] * SEATS + [RefusedError] * 4
    assert len(await stored(backend)) == SEATS


async def test_more_events_than_a_refusal_brings_are_all_in_the_state(
    backend: Backend, other: Backend
) -> None:
    async with backend.decide(about("a", "1"), joining, stream_id="joining-a") as decision:
        changes = [kind("a", "2") for _ in range(75) for kind in (Joined, Left)]
        await happened(other, *changes, Joined("a", "3"))
        await decision.decide(Join("a", "1"))
        assert decision.state == Taken((("a", "3"), ("a", "1")))
    assert faults_of(await stored(backend)) == []


@pytest.mark.parametrize("hold", [None, "course:a"])
async def test_of_many_who_want_the_last_seats_no_more_get_one(
    backend: Backend, other: Backend, hold: str | None
) -> None:
    async def join(number: int) -> bool:
        where = backend if number % 2 else other
        try:
            async with where.decide(
                about("a", str(number)), joining, stream_id="joining-a", attempts=1000, hold=hold
            ) as decision:
                await decision.decide(Join("a", str(number)))
        except RefusedError:
            return False
        return True

    outcomes = await asyncio.gather(*map(join, range(20)))
    assert sum(outcomes) == SEATS
    assert faults_of(await stored(backend)) == []
    assert len(await stored(backend)) == SEATS


async def test_without_the_condition_too_many_get_a_seat(backend: Backend, other: Backend) -> None:
    await asyncio.gather(
        *(
            give(backend if number % 2 else other, "careless", Join("a", str(number)))
            for number in range(20)
        ),
        return_exceptions=True,
    )
    assert faults_of(await stored(backend)) != []


async def test_a_tag_that_is_held_lets_each_command_be_decided_once(backend: Backend) -> None:
    async def join_and_leave(number: int) -> None:
        async with backend.decide(
            about("a", str(number)), joining, stream_id="joining-a", attempts=1, hold="course:a"
        ) as decision:
            await decision.decide(Join("a", str(number)))
            await decision.decide(Leave("a", str(number)))

    await asyncio.gather(*map(join_and_leave, range(10)))
    assert len(await stored(backend)) == 20


async def test_a_query_of_types_alone_holds_for_events_without_tags(
    backend: Backend, other: Backend
) -> None:
    query = Query(event_types=[Joined])
    async with backend.decide(query, joining, stream_id="joining-a", attempts=1) as decision:
        await happened(other, Joined("a", "1"))
        with pytest.raises(BoundaryError):
            await decision.decide(Join("b", "2"))


async def test_students_are_held_to_their_number_of_courses_too(
    backend: Backend, other: Backend
) -> None:
    async def join(number: int) -> None:
        where, course = (backend if number % 2 else other), f"course-{number}"
        async with where.decide(
            about(course, "1"), joining, stream_id=f"joining-{course}", attempts=1000
        ) as decision:
            await decision.decide(Join(course, "1"))

    outcomes = await asyncio.gather(*map(join, range(8)), return_exceptions=True)
    assert [type(each) for each in outcomes].count(RefusedError) == 8 - MOST_COURSES
    assert faults_of(await stored(backend)) == []


@pytest.mark.parametrize("count", [100, 101])
async def test_a_refusal_says_if_more_were_missed_than_it_brings(
    backend: Backend, other: Backend, count: int
) -> None:
    store, query = backend.event_store, Query(tags={"course:a"})
    _, marker = await store.read_matching(query)
    await happened(other, *(Joined("a", str(number)) for number in range(count)))
    write = ToStream(
        "joining-a",
        [Event.of(Joined("a", "late"), event_types=types)],
        expected_version=ExpectedVersion.ANY,
    )
    with pytest.raises(BoundaryError) as caught:
        await store.append_together([write], unless_changed=marker)
    assert (len(caught.value.events), caught.value.are_more) == (100, count > 100)
    again: BoundaryError = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made here
    assert again.are_more is caught.value.are_more
