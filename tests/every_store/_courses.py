"""Students who take courses: seats of a course, courses of a student, and what breaks a rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from eventsourcing_core import (
    Aggregate,
    Decider,
    Event,
    EventTypes,
    ExpectedVersion,
    Query,
    ToStream,
    event,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core import Backend

SEATS = 3
MOST_COURSES = 2

types = EventTypes()


@event(event_types=types, tags=lambda e: {f"course:{e.course}", f"student:{e.student}"})
class Joined:
    """A student has taken a course."""

    course: str
    student: str
    request: str = ""


@event(event_types=types, tags=lambda e: {f"course:{e.course}", f"student:{e.student}"})
class Left:
    """A student has given a course up."""

    course: str
    student: str
    request: str = ""


class RefusedError(Exception):
    """A rule does not let a student do it."""


@dataclass(frozen=True)
class Join:
    """A student wants to take a course."""

    course: str
    student: str
    request: str = ""


@dataclass(frozen=True)
class Leave:
    """A student wants to give a course up."""

    course: str
    student: str
    request: str = ""


CourseEvent = Joined | Left
CourseCommand = Join | Leave


@dataclass(frozen=True)
class Taken:
    """Who has taken what, of those courses and students that are known."""

    pairs: tuple[tuple[str, str], ...] = ()
    """In the order of the events."""


def decide(command: CourseCommand, taken: Taken) -> list[CourseEvent]:
    """Keep both rules."""
    pair = (command.course, command.student)
    match command:
        case Join(course, student, request):
            if pair in taken.pairs:
                return []
            if sum(each == course for each, _ in taken.pairs) >= SEATS:
                raise RefusedError("full")  # noqa: EM101 - as short as it can be
            if sum(each == student for _, each in taken.pairs) >= MOST_COURSES:
                raise RefusedError("busy")  # noqa: EM101 - as above
            return [Joined(course, student, request)]
        case Leave(course, student, request):
            return [Left(course, student, request)] if pair in taken.pairs else []
        case _:
            assert_never(command)


def evolve(taken: Taken, event: CourseEvent) -> Taken:
    """Give the next state."""
    pair = (event.course, event.student)
    match event:
        case Joined():
            return replace(taken, pairs=(*taken.pairs, pair))
        case Left():
            return replace(taken, pairs=tuple(each for each in taken.pairs if each != pair))
        case _:
            assert_never(event)


joining = Decider(decide, evolve, Taken(), category="joining", event_types=types)


class Lesson(Aggregate):
    """The same as an object."""

    event_types = types
    pairs: list[tuple[str, str]]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.pairs = []

    def join(self, course: str, student: str) -> None:
        """Take a course."""
        for each in decide(Join(course, student), Taken(tuple(self.pairs))):
            self._record(each)

    def apply(self, event: Event[CourseEvent]) -> None:
        """Count."""
        self.pairs = list(evolve(Taken(tuple(self.pairs)), event.data).pairs)


def about(course: str, student: str) -> Query:
    """Ask for what a decision about a course and a student depends on."""
    return Query(tags={f"course:{course}"}) | Query(tags={f"student:{student}"})


Way = Literal["decision", "held", "careless"]


async def give(backend: Backend, way: Way, command: CourseCommand) -> None:
    """Give a command, and never give up."""
    query, stream_id = about(command.course, command.student), f"joining-{command.course}"
    if way == "careless":  # the canary: it does not look again
        view = await backend.event_store.read_matching(query)
        taken = Taken()
        for each in view.events:
            taken = evolve(taken, each.data)
        events = decide(command, taken)
        if events:
            write = ToStream(
                stream_id,
                [Event.of(each, event_types=types) for each in events],
                expected_version=ExpectedVersion.ANY,
            )
            await backend.event_store.append_together([write])
        return
    hold = f"course:{command.course}" if way == "held" else None
    async with backend.decide(
        query, joining, stream_id=stream_id, attempts=10_000, hold=hold
    ) as decision:
        await decision.decide(command)


class Told(NamedTuple):
    """What the giver of a command was told."""

    kind: Literal["Join", "Leave"]
    course: str
    student: str
    request: str
    is_done: bool
    """Whether it was not refused; it may have had nothing to do."""


def faults_of(stored: Iterable[CourseEvent], told: Sequence[Told] = ()) -> list[str]:
    """List where a log breaks a rule, and what callers were told that is not so."""
    faults: list[str] = []
    there = set[tuple[str, str]]()
    requests = Counter[str]()
    for each in stored:
        pair = (each.course, each.student)
        requests[each.request] += bool(each.request)
        if (pair in there) == isinstance(each, Joined):
            faults.append(f"{each} has happened before, or never")
        if isinstance(each, Left):
            there.discard(pair)
            continue
        there.add(pair)
        if sum(course == each.course for course, _ in there) > SEATS:
            faults.append(f"{each} is one too many for the course")
        if sum(student == each.student for _, student in there) > MOST_COURSES:
            faults.append(f"{each} is one too many for the student")
    faults += [f"{each} is stored" for each in told if not each.is_done and requests[each.request]]
    faults += [f"{request} is stored {n} times" for request, n in requests.items() if n > 1]
    return faults
