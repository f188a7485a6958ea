"""Several processes on one file, and processes that are killed."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from eventsourcing_core import AppendResult, Event, ExpectedVersion
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("other_process.py")
DEADLINE = 30.0  # seconds after which a process that hangs is killed
WRITERS = 4
ROUNDS = 100


class Process:
    """A run of ``other_process.py``."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen

    def hear(self) -> list[Any]:
        """Give what it says next; nothing when it has ended."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        # The last line of a process that was killed may be half a line.
        return json.loads(line) if line.endswith("\n") else []

    def begin(self) -> None:
        """Give the line that it waits for."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("go\n")
        self.popen.stdin.flush()

    def end(self) -> list[Any]:
        """Give the last that it says, and see that it succeeded."""
        said = self.hear()
        assert self.popen.wait() == 0
        return said


@contextmanager
def started(*arguments: object) -> Iterator[Process]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8") as popen:  # noqa: S603 - our own program
        timer = Timer(DEADLINE, popen.kill)
        timer.start()
        try:
            yield Process(popen)
        finally:
            timer.cancel()
            timer.join()
            popen.kill()


def run_together(commands: list[tuple[object, ...]]) -> list[list[Any]]:
    """Start processes, let them begin at the same moment, and give the last that each says."""
    with ExitStack() as stack:
        processes = [stack.enter_context(started(*command)) for command in commands]
        assert [process.hear() for process in processes] == [["ready"]] * len(processes)
        for process in processes:
            process.begin()
        return [process.end() for process in processes]


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int], list[Any]]:
    """Run the race once: the file, how many versions each writer won, what the reader saw."""
    path = tmp_path_factory.mktemp("race") / "events.db"
    total = ROUNDS + WRITERS * ROUNDS
    *writers, reader = run_together(
        [
            *(("race", path, name, ROUNDS) for name in range(WRITERS)),
            ("follow", path, total),
        ]
    )
    assert reader[0] == "seen"
    return path, [won for _, won in writers], [tuple(seen) for seen in reader[1]]


async def test_of_processes_that_append_the_same_version_one_succeeds(race: Any) -> None:
    path, won, _ = race
    assert sum(won) == ROUNDS
    async with SqliteDatabase.open(path) as database:
        events = [event async for event in SqliteEventStore(database).read("shared")]
    assert [sum(event.data["by"] == str(name) for event in events) for name in range(4)] == won


async def test_streams_that_processes_write_together_have_no_holes(race: Any) -> None:
    path, _, _ = race
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        for stream_id in ("shared", *(f"own-{name}" for name in range(WRITERS))):
            versions = [event.version async for event in store.read(stream_id)]
            assert versions == [*range(1, ROUNDS + 1)]


async def test_a_process_that_reads_meanwhile_misses_nothing_and_sees_nothing_twice(
    race: Any,
) -> None:
    path, _, seen = race
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        assert seen == [(e.position, str(e.event_id)) async for e in store.read_all()]


async def test_processes_that_make_one_file_at_the_same_moment_all_succeed(tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"{number}.db"
        made = run_together([("make", path)] * WRITERS)
        assert sorted(said[1] for said in made) == [[n, n] for n in range(1, WRITERS + 1)]


class Killed:
    """What a process said until it was killed while it was appending."""

    def __init__(self) -> None:
        self.tried: dict[tuple[str, ...], str] = {}
        """The streams of the appends that it tried, by event ids."""
        self.done: dict[tuple[str, ...], AppendResult] = {}
        """What those brought that it knew of."""

    def listen(self, process: Process, acknowledged: int | None = None) -> None:
        """Hear so many acknowledgements, or all that is left."""
        while acknowledged is None or len(self.done) < acknowledged:
            match process.hear():
                case ["try", stream_id, ids]:
                    self.tried[tuple(ids)] = stream_id
                case ["done", _, ids, result]:
                    self.done[tuple(ids)] = AppendResult(*result)
                case said:
                    assert (said, acknowledged) == ([], None)
                    return

    @property
    def unknown(self) -> dict[tuple[str, ...], str]:
        """Give the appends that were tried, and never acknowledged."""
        return {ids: stream for ids, stream in self.tried.items() if ids not in self.done}


def kill_while_appending(path: Path, acknowledged: int) -> Killed:
    """Let a process append, and kill it with SIGKILL some time after so many acknowledgements."""
    killed = Killed()
    with started("append", path) as process:
        killed.listen(process, acknowledged)
        process.popen.kill()
        killed.listen(process)
    return killed


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Killed]]:
    """Kill one process after the other, all at work on one file."""
    path = tmp_path_factory.mktemp("kills") / "events.db"
    return path, [kill_while_appending(path, acknowledged) for acknowledged in (1, 5, 18, 50, 170)]


async def ids_in(path: Path) -> dict[str, tuple[int, int]]:
    """Give version and position of all events in the file, by id."""
    async with SqliteDatabase.open(path) as database:
        events = [event async for event in SqliteEventStore(database).read_all()]
    found = {str(event.event_id): (event.version, event.position) for event in events}
    assert len(found) == len(events)
    return found


async def test_after_a_kill_every_acknowledged_append_is_there_at_its_place(kills: Any) -> None:
    path, killed = kills
    found = await ids_in(path)
    for ids, result in ((ids, result) for each in killed for ids, result in each.done.items()):
        assert found[ids[-1]] == result
        assert [found[id_][0] for id_ in ids] == [*range(result.version - 2, result.version + 1)]


async def test_after_a_kill_no_append_is_there_by_half(kills: Any) -> None:
    path, killed = kills
    found = await ids_in(path)
    for ids in (ids for each in killed for ids in each.tried):
        assert len(found.keys() & {*ids}) in {0, 3}


async def test_after_a_kill_nothing_is_there_that_was_not_tried(kills: Any) -> None:
    path, killed = kills
    tried = {id_ for each in killed for ids in each.tried for id_ in ids}
    assert (await ids_in(path)).keys() <= tried


async def test_after_a_kill_what_was_not_acknowledged_can_be_repeated(kills: Any) -> None:
    path, killed = kills
    unknown = [item for each in killed for item in each.unknown.items()]
    assert unknown
    before = await ids_in(path)
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        for ids, stream_id in unknown:
            events: list[Event[object]] = [
                Event("Counted", {"n": n}, event_id=UUID(id_)) for n, id_ in enumerate(ids)
            ]
            first, second = [
                await store.append(stream_id, events, expected_version=ExpectedVersion.ANY)
                for _ in range(2)
            ]
            assert first == second == before.get(ids[-1], first)
    assert len(await ids_in(path)) == 3 * sum(len(each.tried) for each in killed)
