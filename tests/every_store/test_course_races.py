"""Processes whose students take courses at once: no rule is broken, and the canary breaks one."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import open_backend
from tests.every_store._courses import Joined, Left, Told, faults_of, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.every_store._courses import CourseEvent, Way

ROOT = Path(__file__).parents[2]
DEADLINE = 100.0  # seconds after which whatever hangs is ended
TASKS = 6
COMMANDS = 120
LONGEST_LINE = 1 << 24  # bytes


@asynccontextmanager
async def started(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.every_store.course_worker", *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=LONGEST_LINE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def hear(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await process.stdout.readline())


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store that several processes can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'events.db'}"
    url: str = request.getfixturevalue("url")
    return url


async def raced(url: str, *ways: Way) -> tuple[list[CourseEvent], list[Told]]:
    """Let a process for each way give its commands; give what is stored, and what was told."""
    async with open_backend(url, event_types=types) as backend:
        async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
            processes = [
                await stack.enter_async_context(started(url, str(number), way, TASKS, COMMANDS))
                for number, way in enumerate(ways)
            ]
            for process in processes:
                assert await hear(process) == "ready"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
            told = [Told(*each) for process in processes for each in await hear(process)]
        stored = [event.data async for event in backend.event_store.read_all()]
    return stored, told


async def test_no_course_has_too_many_students_and_no_student_too_many_courses(
    shared_url: str,
) -> None:
    stored, told = await raced(shared_url, "decision", "held")
    assert faults_of(stored, told) == []
    assert len(told) == 2 * COMMANDS
    assert {each.is_done for each in told} == {True, False}
    assert {type(each) for each in stored} == {Joined, Left}


async def test_who_decides_without_the_condition_breaks_a_rule(shared_url: str) -> None:
    stored, told = await raced(shared_url, "careless", "careless")
    assert faults_of(stored, told) != []


A1, A2, A3, A4, B1, C1 = (
    Joined(course, student, f"{course}{student}")
    for course, student in ("a1", "a2", "a3", "a4", "b1", "c1")
)


def test_the_checker_finds_no_fault_where_there_is_none() -> None:
    told = [Told("Join", "a", "1", "a1", is_done=True), Told("Join", "c", "1", "c1", is_done=False)]
    assert faults_of([A1, B1, A2, A3, Left("a", "3", "x"), A4], told) == []


@pytest.mark.parametrize(
    ("stored", "told", "fault"),
    [
        ([A1, A2, A3, A4], [], "too many for the course"),
        ([A1, B1, C1], [], "too many for the student"),
        ([A1, Joined("a", "1", "x")], [], "has happened before"),
        ([Left("a", "1", "x")], [], "or never"),
        ([A1, Left("a", "1", "a1")], [], "is stored 2 times"),
        ([A1], [Told("Join", "a", "1", "a1", is_done=False)], "is stored"),
    ],
)
def test_the_checker_finds_each_fault(
    stored: list[CourseEvent], told: list[Told], fault: str
) -> None:
    assert any(fault in each for each in faults_of(stored, told))
