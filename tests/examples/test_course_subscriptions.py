"""The course subscriptions, run as their reader runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core.testing import given

if TYPE_CHECKING:
    from types import ModuleType

    from eventsourcing_core import Decider
    from tests.examples.conftest import Load, Run

PROGRAM = "course_subscriptions.py"


@pytest.fixture(scope="session")
def courses(load: Load) -> ModuleType:
    return load("course_subscriptions")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        url: str = request.getfixturevalue("url")
        return url
    return {"memory": "memory://", "sqlite": "sqlite:///courses.db"}[request.param]


def test_both_ways_keep_the_rule_twice(run: Run, store: str) -> None:
    for _ in range(2):
        finished = run(PROGRAM, "--store", store)
        assert finished.returncode == 0, finished.stderr
        # A course with a free seat would be one that eight students have no time for.
        assert finished.stdout.splitlines() == [
            "Two aggregates: 12 seats taken, at most 3 of a course and 2 by a student: 24 events",
            "One decision:   12 seats taken, at most 3 of a course and 2 by a student: 12 events",
        ]


def test_an_error_is_told_in_a_line(run: Run) -> None:
    finished = run(PROGRAM, "--store", "nowhere://")
    assert finished.returncode == 1
    assert finished.stderr.startswith("course_subscriptions: no backend for 'nowhere'")
    assert finished.stderr.count("\n") == 1


def test_the_rule_needs_no_store(courses: ModuleType) -> None:
    subscriptions: Decider[Any, Any, Any] = courses.subscriptions
    taken = [courses.Subscribed("c1", f"s{number}") for number in range(courses.SEATS)]
    given(subscriptions, *taken).when(courses.Subscribe("c1", "s9")).then_raises(
        courses.Refused, match="full"
    )
    given(subscriptions, *taken[1:]).when(courses.Subscribe("c1", "s9")).then(
        courses.Subscribed("c1", "s9")
    ).then_tags({"course:c1", "student:s9"})
