"""Course subscriptions: a rule over two streams, by two aggregates and then by one decision.

A course has some seats, and a student takes two courses at most. So whether a student gets a seat
depends on the course and on the student, and many ask at the same time.

python docs/examples/course_subscriptions.py
python docs/examples/course_subscriptions.py --store memory://
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from eventsourcing_core import (
    Aggregate,
    Backend,
    ConcurrencyError,
    Decider,
    Event,
    EventSourcingError,
    Query,
    event,
    open_backend,
)

SEATS = 3
MOST_COURSES = 2
ATTEMPTS = 100


class Refused(Exception):  # noqa: N818 - the word of the school
    """A rule does not let a student take a course."""


# By two aggregates: each knows one half of the rule, and keeps one half of what happened.
@event("seat.taken")
class SeatTaken:
    """A course has one student more."""

    student: str


@event("course.taken")
class CourseTaken:
    """A student has one course more."""

    course: str


class Course(Aggregate):
    """Gives its seats away, each once."""

    category = "course"
    students: frozenset[str] = frozenset()

    def apply(self, event: Event[SeatTaken]) -> None:
        """Change the state by what happened."""
        self.students |= {event.data.student}

    def give_seat(self, student: str) -> None:
        """Give a student a seat."""
        if len(self.students) == SEATS:
            message = f"course {self.id} is full"
            raise Refused(message)
        self._record(SeatTaken(student))


class Student(Aggregate):
    """Takes some courses, and no more."""

    category = "student"
    courses: frozenset[str] = frozenset()

    def apply(self, event: Event[CourseTaken]) -> None:
        """Change the state by what happened."""
        self.courses |= {event.data.course}

    def take(self, course: str) -> None:
        """Take a course."""
        if len(self.courses) == MOST_COURSES:
            message = f"student {self.id} has {MOST_COURSES} courses already"
            raise Refused(message)
        self._record(CourseTaken(course))


async def subscribe_two_aggregates(backend: Backend, course_id: str, student_id: str) -> None:
    """Save both, or none, and again from the start when somebody else was faster."""
    courses, students = backend.repository(Course), backend.repository(Student)
    for attempt in range(1, ATTEMPTS + 1):
        course, student = await courses.load(course_id), await students.load(student_id)
        course.give_seat(student_id)
        student.take(course_id)
        try:
            await backend.save_together([course, student])
        except ConcurrencyError:
            if attempt == ATTEMPTS:
                raise
        else:
            return


# By one decision: one event for one fact. Its tags say whom it concerns.
@event("course.subscribed", tags=lambda e: {f"course:{e.course}", f"student:{e.student}"})
class Subscribed:
    """A student takes a course."""

    course: str
    student: str


@dataclass(frozen=True)
class Subscribe:
    """A student wants to take a course."""

    course: str
    student: str


@dataclass(frozen=True)
class Subscriptions:
    """Those of one course, and those of one student."""

    known: frozenset[tuple[str, str]] = frozenset()


def decide(command: Subscribe, subscriptions: Subscriptions) -> list[Subscribed]:
    """Look at both halves of the rule."""
    courses = Counter(course for course, _ in subscriptions.known)
    students = Counter(student for _, student in subscriptions.known)
    if courses[command.course] == SEATS:
        message = f"course {command.course} is full"
        raise Refused(message)
    if students[command.student] == MOST_COURSES:
        message = f"student {command.student} has {MOST_COURSES} courses already"
        raise Refused(message)
    return [Subscribed(command.course, command.student)]


def evolve(subscriptions: Subscriptions, event: Subscribed) -> Subscriptions:
    """Change the state by what happened."""
    return replace(subscriptions, known=subscriptions.known | {(event.course, event.student)})


subscriptions = Decider(decide, evolve, Subscriptions(), category="subscription")


async def subscribe_one_decision(backend: Backend, course_id: str, student_id: str) -> None:
    """Decide by what concerns the course or the student."""
    query = Query(tags={f"course:{course_id}"}) | Query(tags={f"student:{student_id}"})
    stream_id = f"subscription-{course_id}"
    async with backend.decide(
        query, subscriptions, stream_id=stream_id, attempts=ATTEMPTS
    ) as decision:
        await decision.decide(Subscribe(course_id, student_id))


# What is to be seen: both ways keep the rule, while many ask at once.
Way = Callable[[Backend, str, str], Awaitable[None]]


async def race(backend: Backend, subscribe: Way) -> str:
    """Let ten students ask for each of four courses at once; say what came of it."""
    run = uuid4().hex[:8]  # new courses and students in each run
    courses = [f"{run}-c{number}" for number in range(4)]
    students = [f"{run}-s{number}" for number in range(10)]
    got = list[tuple[str, str]]()

    async def ask(course_id: str, student_id: str) -> None:
        try:
            await subscribe(backend, course_id, student_id)
        except Refused:
            return
        got.append((course_id, student_id))

    before = await backend.event_store.last_position()
    await asyncio.gather(*(ask(course, student) for student in students for course in courses))
    events = [e async for e in backend.event_store.read_all(after_position=before)]
    by_course = max(Counter(course for course, _ in got).values())
    by_student = max(Counter(student for _, student in got).values())
    return (
        f"{len(got)} seats taken, at most {by_course} of a course and {by_student} by a student: "
        f"{len(events)} events"
    )


async def main(store: str) -> None:
    """Run both ways."""
    async with open_backend(store) as backend:
        print(f"Two aggregates: {await race(backend, subscribe_two_aggregates)}")
        print(f"One decision:   {await race(backend, subscribe_one_decision)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Subscribe students to courses, in two ways.")
    parser.add_argument("--store", default="sqlite:///courses.db", help="the URL of the store")
    try:
        asyncio.run(main(parser.parse_args().store))
    except EventSourcingError as error:
        sys.exit(f"course_subscriptions: {error}")
