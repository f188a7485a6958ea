"""Decisions by what matches: what a refusal brings, in which order, and what is refused."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Aggregate,
    AppendResult,
    BoundaryError,
    Decider,
    Event,
    EventTypes,
    ExpectedVersion,
    InvalidStreamIdError,
    Marker,
    Query,
    RecordedEvent,
    Saved,
    StorageError,
    UnknownEventTypeError,
    event,
    open_backend,
)
from eventsourcing_core._decisions.decision import DeciderDecision
from eventsourcing_core.stores import Condition
from eventsourcing_core.stores._boundaries.words import MatchingEvents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import Backend, ToStream

types = EventTypes()


@event(event_types=types, tags=lambda _: {"all"})
class Said:
    """A letter was said."""

    letter: str


class DoubledError(Exception):
    """A letter was said before."""


def decide(letters: str, said: str) -> list[Said]:
    for letter in letters:
        if letter in said:
            raise DoubledError(letter)
    return [Said(letter) for letter in letters]


def evolve(said: str, event: Said) -> str:
    return said + event.letter


saying = Decider(decide, evolve, "", category="saying", event_types=types)
EVERYTHING = Query(tags={"all"})


class Speech(Aggregate):
    event_types = types
    said: list[str]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.said = []

    def say(self, letter: str) -> None:
        self._record(Said(letter))

    def apply(self, event: Event[Said]) -> None:
        if event.data.letter == "!":
            raise RuntimeError
        self.said.append(event.data.letter)


def marker(position: int) -> Marker:
    return Marker(Condition((), position, frozenset(), None), (), b"")


def said(letter: str, position: int) -> RecordedEvent[Said]:
    return RecordedEvent("Said", Said(letter), stream_id="x", version=position, position=position)


class Script:
    """A store that gives what it is told to, and writes down what it was asked."""

    def __init__(self) -> None:
        self.readings: deque[Sequence[RecordedEvent[Said]]] = deque()
        self.refusals: deque[BoundaryError | StorageError | None] = deque()
        """What becomes of the appends; None: one is stored, as all are at the end of the list."""
        self.appended: list[tuple[str, int]] = []
        """The letters of each append, and the position of its marker."""
        self.last = 100

    async def read_matching(self, query: Query) -> MatchingEvents:
        assert query is EVERYTHING
        events = tuple(self.readings.popleft())
        return MatchingEvents(events, marker(events[-1].position if events else 0))

    async def append_together(
        self, writes: Sequence[ToStream], *, unless_changed: Marker
    ) -> tuple[AppendResult, ...]:
        (write,) = writes
        assert (write.stream_id, write.expected_version) == ("saying-1", ExpectedVersion.ANY)
        events: Any = write.events
        letters = "".join(event.data.letter for event in events)
        self.appended.append((letters, unless_changed.condition.horizon))
        refusal = self.refusals.popleft() if self.refusals else None
        if refusal is not None:
            raise refusal
        self.last += len(events)
        return (AppendResult(1, self.last),)


@pytest.fixture
def script() -> Script:
    return Script()


async def begun(script: Script, *events: RecordedEvent[Said], attempts: int = 3) -> Any:
    """Give a decision that has read these events."""
    store: Any = script
    decision = DeciderDecision(
        store, EVERYTHING, saying.aggregate_class, stream_id="saying-1", attempts=attempts
    )
    script.readings.append(events)
    await decision.read()
    return decision


async def test_what_a_refusal_brings_is_applied_and_nothing_is_read(script: Script) -> None:
    decision = await begun(script, said("a", 1))
    script.refusals.append(BoundaryError((said("b", 5), said("c", 6)), marker(7)))
    assert await decision.decide("d") == Saved(1, 101)
    assert decision.state == "abcd"
    assert script.appended == [("d", 1), ("d", 7)]


async def test_a_command_is_decided_again_by_what_a_refusal_brings(script: Script) -> None:
    decision = await begun(script)
    script.refusals.append(BoundaryError((said("d", 5),), marker(5)))
    with pytest.raises(DoubledError):
        await decision.decide("d")
    assert script.appended == [("d", 0)]


async def test_an_event_that_comes_late_is_put_in_its_place(script: Script) -> None:
    decision = await begun(script, said("a", 1), said("c", 3))
    script.refusals.append(BoundaryError((said("b", 2),), marker(3)))
    script.readings.append((said("a", 1), said("b", 2), said("c", 3)))
    await decision.decide("d")
    assert decision.state == "abcd"


async def test_what_does_not_come_with_a_refusal_is_read(script: Script) -> None:
    decision = await begun(script)
    script.refusals.append(BoundaryError((said("a", 1),), marker(1), are_more=True))
    script.readings.append((said("a", 1), said("d", 2)))
    with pytest.raises(DoubledError):
        await decision.decide("d")
    assert script.appended == [("d", 0)]


async def test_after_an_append_the_marker_knows_of_it(script: Script) -> None:
    decision = await begun(script, said("a", 1))
    await decision.decide("bc")
    await decision.decide("d")
    assert decision.state == "abcd"
    assert script.appended == [("bc", 1), ("d", 102)]


async def test_each_attempt_counts_and_the_last_refusal_is_raised(script: Script) -> None:
    decision = await begun(script, attempts=2)
    refusals = [BoundaryError((said(letter, n),), marker(n)) for n, letter in ((1, "a"), (2, "b"))]
    script.refusals.extend(refusals)
    with pytest.raises(BoundaryError) as caught:
        await decision.decide("d")
    assert caught.value is refusals[1]
    assert decision.state == "ab"
    await decision.decide("d")
    assert script.appended == [("d", 0), ("d", 1), ("d", 2)]


async def test_after_an_outcome_that_is_unknown_the_command_finds_what_it_has_done(
    script: Script,
) -> None:
    decision = await begun(script)
    script.refusals.extend([StorageError("lost"), BoundaryError((said("d", 1),), marker(1))])
    with pytest.raises(StorageError):
        await decision.decide("d")
    assert decision.state == ""
    with pytest.raises(DoubledError):
        await decision.decide("d")
    assert decision.state == "d"


async def test_nothing_is_refused_by_a_state_that_is_older_than_the_call(script: Script) -> None:
    decision = await begun(script, said("a", 1))
    with pytest.raises(DoubledError):
        await decision.decide("a")  # it was read for this one
    script.readings.append((said("b", 2),))
    await decision.decide("a")
    assert decision.state == "ba"
    script.readings.append((said("b", 2), said("a", 101), said("c", 102)))
    assert await decision.decide("") == Saved(0, 102)
    assert script.appended == [("a", 2)]


async def test_a_reading_that_cannot_be_applied_leaves_the_state_as_it_was(script: Script) -> None:
    decision = await begun(script, said("a", 1))
    with pytest.raises(DoubledError):
        await decision.decide("a")
    broken: Any = None
    script.readings.append((said("b", 2), said(broken, 3)))
    with pytest.raises(TypeError):
        await decision.decide("a")
    assert decision.state == "a"
    assert script.appended == []


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with open_backend("memory://", event_types=types) as backend:
        yield backend


async def say(backend: Backend, *letters: str) -> None:
    events = [Event.of(Said(letter), event_types=types) for letter in letters]
    await backend.event_store.append("other-1", events, expected_version=ExpectedVersion.ANY)


async def test_what_cannot_be_applied_is_met_again_and_leaves_the_state(backend: Backend) -> None:
    async with backend.decide(EVERYTHING, Speech, stream_id="Speech-1") as decision:
        await say(backend, "a", "!")
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await decision.update(lambda speech: speech.say("b"))
            assert decision.aggregate.said == []


@pytest.mark.parametrize(
    ("stream_id", "id_"), [("Speech-1-2", "1-2"), ("other-1", "other-1"), ("Speech", "Speech")]
)
async def test_the_id_of_an_aggregate_is_what_follows_its_category(
    backend: Backend, stream_id: str, id_: str
) -> None:
    async with backend.decide(EVERYTHING, Speech, stream_id=stream_id) as decision:
        await decision.update(lambda speech: speech.say(speech.id))
    assert [e.data.letter async for e in backend.event_store.read(stream_id)] == [id_]


async def test_what_is_recorded_outside_of_update_is_refused(backend: Backend) -> None:
    async with backend.decide(EVERYTHING, Speech, stream_id="Speech-1") as decision:
        decision.aggregate.say("a")
        with pytest.raises(RuntimeError, match="would not be stored"):
            await decision.update(lambda speech: speech.say("b"))


async def test_a_command_that_waits_is_refused(backend: Backend) -> None:
    async def wait(speech: Speech) -> None:
        speech.say("a")

    async with backend.decide(EVERYTHING, Speech, stream_id="Speech-1") as decision:
        with pytest.raises(TypeError, match="takes a plain function"):
            await decision.update(wait)
        with pytest.raises(TypeError, match="takes a plain function"):
            await decision.update(lambda _: asyncio.get_running_loop().create_future())
        with pytest.raises(TypeError, match="takes a function of the aggregate"):
            await decision.update("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake
    assert await backend.event_store.last_position() == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"attempts": 0}, ValueError, "attempts must be 1 or more, got 0"),
        ({"attempts": "3"}, TypeError, "attempts must be an int, got '3'"),
        ({"attempts": None}, TypeError, "attempts must be an int, got None$"),
        ({"stream_id": ""}, InvalidStreamIdError, "empty"),
        ({"stream_id": "a\n"}, InvalidStreamIdError, "control character"),
    ],
)
def test_wrong_options_are_refused_at_once(
    backend: Backend, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    given: dict[str, Any] = {"stream_id": "saying-1", **options}
    with pytest.raises(error, match=message):
        backend.decide(EVERYTHING, saying, **given)


@pytest.mark.parametrize("subject", ["saying", object, Said("a"), None, Speech("1")])
def test_what_is_neither_a_decider_nor_a_class_of_aggregates_is_refused(
    backend: Backend, subject: Any
) -> None:
    with pytest.raises(TypeError, match="takes a decider or a class of aggregates, got"):
        backend.decide(EVERYTHING, subject, stream_id="saying-1")


async def test_what_is_no_query_is_refused_when_it_is_read(backend: Backend) -> None:
    wrong: Any = {"tags": ["all"]}
    with pytest.raises(TypeError, match="query is a Query"):
        async with backend.decide(wrong, saying, stream_id="saying-1"):
            pass


async def test_a_tag_is_let_go_when_the_block_is_left_by_an_error(backend: Backend) -> None:
    for _ in range(2):
        with pytest.raises(LookupError):
            async with backend.decide(EVERYTHING, saying, stream_id="s-1", hold="all"):
                raise LookupError


class Trusting(Speech):
    """Passes over what has no class."""

    category = "Trusting"

    def apply(self, event: Event[Said]) -> None:
        if type(event.data) is Said:
            super().apply(event)


class Ignoring(Trusting):
    """Says that it does not concern it."""

    category = "Ignoring"
    ignores = ("Whispered",)


async def test_what_may_be_wrong_for_want_of_a_class_is_not_stored(backend: Backend) -> None:
    whisper = [Event("Whispered", {"letter": "x"}, tags={"all"})]
    await backend.event_store.append("other-1", whisper, expected_version=0)

    async def speak(cls: type[Speech], query: Query) -> None:
        async with backend.decide(query, cls, stream_id="Speech-1") as decision:
            await decision.update(lambda speech: speech.say("b"))

    with pytest.raises(UnknownEventTypeError, match=r"'Whispered' \(position 1\)") as caught:
        await speak(Trusting, EVERYTHING)
    assert "ignores = ('Whispered',)" in str(caught.value)
    assert "nothing is appended to 'Speech-1'" in str(caught.value)
    assert await backend.event_store.last_position() == 1
    await speak(Ignoring, EVERYTHING)
    await speak(Trusting, Query(tags={"all"}, event_types=[Said]))
    assert await backend.event_store.last_position() == 3
