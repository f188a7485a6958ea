"""Processes that update few aggregates at once, kept in memory by some: each is told the truth."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import open_backend
from tests.every_store._hot_histories import HotPurse, Told, faults_of, types
from tests.every_store.hot_worker import PURSES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
DEADLINE = 100.0  # seconds after which whatever hangs is ended
LONGEST_LINE = 1 << 26  # bytes
WORKERS = (
    ("a", 10, 8, 150, 0),
    ("b", 2, 8, 150, 0),
    ("slow", 3, 1, 80, 20),
    ("outside", 0, 2, 30, 0),
    ("decider", 3, 4, 80, 5),
    ("decider-outside", 0, 2, 20, 0),
)
"""Each one's name, how many it keeps, its tasks, its commands, and the milliseconds of its longest
pause: in a pause others go on, and what is kept is out of date."""


@asynccontextmanager
async def started(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.every_store.hot_worker", *map(str, arguments)),
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


async def test_what_callers_of_several_processes_are_told_is_what_is_stored(
    shared_url: str,
) -> None:
    async with open_backend(shared_url, event_types=types) as backend:
        async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
            processes = [
                await stack.enter_async_context(started(shared_url, *worker)) for worker in WORKERS
            ]
            for process in processes:
                assert await hear(process) == "ready"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
            told = [Told(*each) for process in processes for each in await hear(process)]

        stored = {
            purse: [
                (event.data.tag, event.data.amount)
                async for event in backend.event_store.read(f"HotPurse-{purse}")
            ]
            for purse in PURSES
        }
        assert faults_of(told, stored) == []
        assert {each.outcome for each in told} >= {"done", "overdrawn"}
        purses = backend.repository(HotPurse, cache=1)
        for purse in PURSES:
            assert (await purses.load(purse)).balance == sum(amount for _, amount in stored[purse])
            assert (await purses.verify(purse)).differences == ()


DONE = Told("one", "x", 5, "done", 2, 0, 10)
HISTORY = [("x/a", 5), ("x/b", 0)]


def test_the_checker_finds_no_fault_where_there_is_none() -> None:
    refused = Told("one", "y", -6, "overdrawn", 2, 20, 30)
    gone = Told("one", "z", 1, "cancelled", 0, 20, 30)
    assert faults_of([DONE, refused, gone], {"one": HISTORY}) == []


def test_of_two_calls_of_one_command_one_may_be_refused_before_the_other_is_done() -> None:
    spent = Told("one", "y", -5, "done", 4, 20, 40)
    early = Told("one", "y", -5, "overdrawn", 0, 0, 5)
    history = [*HISTORY, ("y/a", 0), ("y/b", -5)]
    assert faults_of([DONE, spent, early], {"one": history}) == []
    late = early._replace(version=4)
    assert faults_of([DONE, spent, late], {"one": history}) == [
        "y is refused, and is stored [1, 1] times"
    ]


@pytest.mark.parametrize(
    ("told", "stored", "fault"),
    [
        ([DONE], [], "is done, and is stored"),
        ([DONE], HISTORY[:1], "is done, and is stored"),
        ([DONE], HISTORY * 2, "is done, and is stored"),
        ([DONE._replace(version=1)], HISTORY, "another one's"),
        ([DONE, DONE._replace(tag="y")], [*HISTORY, ("y/a", 1), ("y/b", 0)], "another one's"),
        ([DONE._replace(outcome="overdrawn", amount=-9)], HISTORY, "is refused, and is stored"),
        ([DONE, Told("one", "y", -5, "overdrawn", 2, 20, 30)], HISTORY, "there was enough"),
        ([DONE, Told("one", "y", -5, "overdrawn", 0, 20, 30)], HISTORY, "after 2 was told"),
        ([DONE._replace(outcome="cancelled")], HISTORY[:1], "is cancelled, and is stored"),
        ([DONE], [("x/a", 5), ("x/b", -6)], "was overdrawn"),
        ([DONE], [*HISTORY, ("y/a", 1)], "nobody has recorded"),
    ],
)
def test_the_checker_finds_each_fault(
    told: list[Told], stored: list[tuple[str, int]], fault: str
) -> None:
    found = faults_of(told, {"one": stored})
    assert any(fault in each for each in found), found
