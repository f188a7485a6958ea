"""The import of permit applications: on a log made here, and on the real one where it is.

The real log is ``../shared/data/receipt.csv`` beside the repository, or what the environment
variable PERMITS_CSV names.
"""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

import pytest

from eventsourcing_core import RecordedEvent, StorageError, open_backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import ModuleType

    from tests.examples.conftest import Command, Load, Run

PROGRAM = "permits.py"
ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("PERMITS_CSV", ROOT.parent / "shared" / "data" / "receipt.csv"))
ACTIVITIES = (
    "Confirmation of receipt",
    "T02 Check confirmation of receipt",
    "T06 Determine necessity of stop advice",
    "T07-1 Draft intern advice aspect 1",
    "T11 Create document X request unlicensed",
    "T20 Print report Y to stop indication",
)
CASES = 1000
"""So many that a process can be killed in the middle of them."""

Row = dict[str, str]


class Log(NamedTuple):
    """An event log, and how much is in it."""

    path: Path
    streams: int
    events: int


def row_of(case: int, number: int) -> Row:
    """Make a row of the shape of the real log's."""
    return {
        "case:channel": "Internet",
        "case:concept:name": f"case-{case}",
        "case:deadline": "2011-12-06 01:06:40+01:00",
        "case:department": "General",
        "case:enddate": "2011-10-18 13:56:55.943000+02:00" if case % 3 else "",
        "case:enddate_planned": "2011-12-06 01:06:40.010000+01:00",
        "case:group": f"Group {case % 7}" if case % 2 else "",
        "case:responsible": "Resource21",
        "case:startdate": "2011-10-11 13:42:22.688000+02:00",
        "concept:instance": f"task-{case}-{number}",
        "concept:name": ACTIVITIES[number],
        "lifecycle:transition": "complete",
        "org:group": "EMPTY",
        "org:resource": f"Resource{case % 50:02}",
        "time:timestamp": f"2011-11-{number + 1:02} 08:26:25.{case:03}000+01:00",
    }


def made_rows(cases: int) -> list[Row]:
    """Make cases of one to six events each."""
    return [row_of(case, n) for case in range(cases) for n in range(case % len(ACTIVITIES) + 1)]


def write_log(path: Path, rows: list[Row]) -> Path:
    """Write a log; the first row decides which columns there are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=["made", "real"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    if request.param == "made":
        rows = made_rows(CASES)
        return Log(write_log(tmp_path / "made.csv", rows), CASES, len(rows))
    if not REAL.exists():
        pytest.skip(f"the real log is not at {REAL}: name it with PERMITS_CSV")
    return Log(REAL, 1434, 8577)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A log of three cases with 1, 2 and 3 rows."""
    return write_log(tmp_path / "small.csv", made_rows(3))


@pytest.fixture(scope="session")
def permits(load: Load) -> ModuleType:
    return load("permits")


def results(run: Run, log: Path, store: str, *, code: int = 0) -> dict[str, str]:
    """Run the program, and give what it prints: ``events 8,577`` as ``{"events": "8,577"}``."""
    finished = run(PROGRAM, log, "--store", store)
    assert finished.returncode == code, finished.stderr
    return said(finished.stdout)


def said(output: str) -> dict[str, str]:
    return {key: rest for key, _, rest in (line.partition(" ") for line in output.splitlines())}


async def events_in(file: Path) -> list[RecordedEvent[Any]]:
    async with open_backend(f"sqlite:///{file}") as backend:
        return [event async for event in backend.event_store.read_all()]


@pytest.fixture(params=["memory://", "sqlite:///permits.db"])
def store(request: pytest.FixtureRequest) -> str:
    url: str = request.param
    return url


# What the import does.


def test_every_case_becomes_a_stream(run: Run, log: Log, store: str) -> None:
    assert results(run, log.path, store)["streams"] == f"{log.streams:,}"


def test_every_row_becomes_an_event(run: Run, log: Log, store: str) -> None:
    found = results(run, log.path, store)
    assert found["events"] == found["added"] == f"{log.events:,}"


def test_every_field_comes_back_as_it_is_in_the_file(run: Run, log: Log, store: str) -> None:
    assert results(run, log.path, store)["differences"] == "0"


def test_it_says_that_read_all_is_in_order(run: Run, log: Log, store: str) -> None:
    order = f"{log.events:,} events in order, in pages of 500"
    assert results(run, log.path, store)["read_all"] == order


async def test_read_all_gives_rising_positions(run: Run, log: Log, tmp_path: Path) -> None:
    results(run, log.path, "sqlite:///permits.db")
    events = await events_in(tmp_path / "permits.db")
    assert len(events) == log.events
    assert all(one.position < other.position for one, other in pairwise(events))


async def test_event_ids_follow_from_the_log(run: Run, log: Log, tmp_path: Path) -> None:
    results(run, log.path, "sqlite:///permits.db")
    namespace = UUID("a07386a5-7be3-4367-9535-70bc9e77dbe6")
    expected = {uuid5(namespace, row["concept:instance"]) for row in read_rows(log.path)}
    assert {event.event_id for event in await events_in(tmp_path / "permits.db")} == expected


async def test_timestamps_are_those_of_the_log(permits: ModuleType, small: Path) -> None:
    await permits.run(small, "memory://timestamps")
    async with open_backend("memory://timestamps") as backend:
        events = [event async for event in backend.event_store.read("PermitApplication-case-2")]
    assert [event.timestamp.isoformat() for event in events] == [
        "2011-11-01T07:26:25.002000+00:00",
        "2011-11-02T07:26:25.002000+00:00",
        "2011-11-03T07:26:25.002000+00:00",
    ]


async def test_empty_cells_are_none(permits: ModuleType, small: Path) -> None:
    await permits.run(small, "memory://empty")
    async with open_backend("memory://empty") as backend:
        application = await backend.repository(permits.PermitApplication).load("case-0")
    assert (application.facts.group, application.facts.ended) == (None, None)


async def test_the_facts_are_those_of_their_columns(permits: ModuleType, small: Path) -> None:
    await permits.run(small, "memory://facts")
    async with open_backend("memory://facts") as backend:
        facts = (await backend.repository(permits.PermitApplication).load("case-1")).facts
    row = row_of(1, 0)
    assert facts.channel == row["case:channel"]
    assert facts.department == row["case:department"]
    assert facts.group == row["case:group"]
    assert facts.responsible == row["case:responsible"]
    assert str(facts.started) == row["case:startdate"]
    assert str(facts.ended) == row["case:enddate"]
    assert str(facts.planned_end) == row["case:enddate_planned"]
    assert str(facts.deadline) == row["case:deadline"]


async def test_the_tasks_are_those_of_their_columns(permits: ModuleType, small: Path) -> None:
    await permits.run(small, "memory://tasks")
    async with open_backend("memory://tasks") as backend:
        application = await backend.repository(permits.PermitApplication).load("case-1")
    (_, (task, _)) = application.history
    row = row_of(1, 1)
    assert task.id == row["concept:instance"]
    assert task.activity == row["concept:name"]
    assert task.transition == row["lifecycle:transition"]
    assert task.group == row["org:group"]
    assert task.resource == row["org:resource"]


def test_the_default_store_is_a_file_beside_the_user(run: Run, small: Path, tmp_path: Path) -> None:
    assert run(PROGRAM, small).returncode == 0
    assert (tmp_path / "permits.db").read_bytes().startswith(b"SQLite format 3")


# What it asks of a store.


class Store:
    """Gives the events it was made with, and remembers what was asked of it."""

    def __init__(self, *places: tuple[int, int]) -> None:
        self.events: list[RecordedEvent[object]] = [
            RecordedEvent("Done", {}, stream_id="PermitApplication-1", position=p, version=v)
            for p, v in places
        ]
        self.asked: list[tuple[int, int]] = []
        self.given = self.appending = self.most = 0

    async def read_all(
        self, *, after_position: int, limit: int, stream_prefix: str
    ) -> AsyncIterator[RecordedEvent[object]]:
        assert stream_prefix == "PermitApplication-"
        self.asked.append((after_position, limit))
        page = self.events[self.given : self.given + limit]
        self.given += len(page)
        for event in page:
            yield event

    async def append(self, *_: object, expected_version: int) -> None:
        assert expected_version == 0
        self.appending += 1
        self.most = max(self.most, self.appending)
        await asyncio.sleep(0)
        self.appending -= 1


async def test_each_page_of_500_begins_after_the_last_position(permits: ModuleType) -> None:
    store = Store(*[(2 * n, n) for n in range(1, 1202)])
    await permits.count(store)
    assert store.asked == [(0, 500), (1000, 500), (2000, 500), (2402, 500)]


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([(1, 1), (3, 2), (2, 3)], id="positions that fall"),
        pytest.param([(1, 1), (1, 2)], id="one position twice"),
        pytest.param([(1, 1), (2, 3)], id="a version left out"),
        pytest.param([(1, 1), (2, 1)], id="an event twice"),
    ],
)
async def test_a_store_that_gives_events_out_of_order_is_found_out(
    permits: ModuleType, places: list[tuple[int, int]]
) -> None:
    with pytest.raises(StorageError, match="out of order"):
        await permits.count(Store(*places))


@pytest.mark.parametrize("tasks", [1, 5, 64])
async def test_so_many_appends_are_under_way_at_once(permits: ModuleType, tasks: int) -> None:
    store = Store()
    await permits.import_log(store, {f"case-{n}": [] for n in range(200)}, tasks)
    assert store.most == tasks


# Repeating it.


def test_a_second_run_on_a_file_adds_nothing(run: Run, log: Log) -> None:
    results(run, log.path, "sqlite:///permits.db")
    again = results(run, log.path, "sqlite:///permits.db")
    assert again["added"] == "0: everything was there already"
    assert again["events"] == f"{log.events:,}"


async def test_a_second_import_in_one_process_adds_nothing(
    permits: ModuleType, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"memory://permits-{log.streams}"
    assert await permits.run(log.path, name)
    capsys.readouterr()
    assert await permits.run(log.path, name)
    again = said(capsys.readouterr().out)
    assert again["added"] == "0: everything was there already"
    assert again["events"] == f"{log.events:,}"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
async def test_killed_in_the_middle_and_started_again_it_adds_the_rest(
    command: Command, run: Run, log: Log, tmp_path: Path
) -> None:
    kill_when_it_shows_progress(
        command(PROGRAM, log.path, "--store", "sqlite:///permits.db", "--tasks", 1), tmp_path
    )
    stored = len(await events_in(tmp_path / "permits.db"))
    assert 0 < stored < log.events

    found = results(run, log.path, "sqlite:///permits.db")

    assert found["added"] == f"{log.events - stored:,}"
    assert found["events"] == f"{log.events:,}"
    assert found["differences"] == "0"


def kill_when_it_shows_progress(command: list[str], folder: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - a program of this repository
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        deadline = Timer(60, process.terminate)
        deadline.start()
        assert process.stderr is not None
        first = process.stderr.readline()
        process.kill()
        deadline.cancel()
    assert first.startswith("100 of "), first
    assert process.returncode == -signal.SIGKILL


# Progress.


def test_piped_progress_comes_by_lines(run: Run, log: Log) -> None:
    lines = run(PROGRAM, log.path, "--store", "memory://").stderr.splitlines()
    assert lines[0].startswith(f"100 of {log.streams:,} cases, ")
    assert lines[-1].startswith(f"{log.streams:,} of {log.streams:,} cases, {log.events:,} events,")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_on_a_terminal_progress_stays_on_one_line(command: Command, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", made_rows(30))
    ours, theirs = os.openpty()
    subprocess.run(  # noqa: S603 - as above
        command(PROGRAM, log, "--store", "memory://"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        check=True,
        timeout=60,
    )
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert shown.count("\n") == 1
    assert [text.split()[0] for text in shown.split("\x1b[K\r")] == ["10", "20", "30"]


# Differences.


@pytest.mark.parametrize("column", sorted({*row_of(0, 0)} - {"case:concept:name"}))
async def test_a_change_in_any_column_is_a_difference(
    permits: ModuleType, tmp_path: Path, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = made_rows(3)
    await permits.run(write_log(tmp_path / "log.csv", rows), f"memory://{column}")
    capsys.readouterr()
    # The facts of a case stand on all of its rows: the first case has one row.
    changed = rows[0] if column.startswith("case:") else rows[-1]
    changed[column] = CHANGED.get(column, "changed")
    assert not await permits.run(write_log(tmp_path / "log.csv", rows), f"memory://{column}")
    assert f"{changed['case:concept:name']}, {column}: " in capsys.readouterr().err


CHANGED = {
    "case:deadline": "2011-12-06 01:06:40.000001+01:00",
    "case:enddate": "2011-12-06 01:06:40.000001+01:00",
    "case:enddate_planned": "2011-12-06 01:06:40.000001+01:00",
    "case:startdate": "2011-12-06 01:06:40.000001+01:00",
    "time:timestamp": "2011-12-06 01:06:40.000001+01:00",
    "concept:name": "T10 Determine necessity to stop indication",
}


def drop_last(rows: list[Row]) -> None:
    rows.pop()


def add_one(rows: list[Row]) -> None:
    rows.append(row_of(2, 3))


def move_to_another_case(rows: list[Row]) -> None:
    rows[-1] = row_of(1, 2) | {"concept:instance": rows[-1]["concept:instance"]}


def give_other_ids(rows: list[Row]) -> None:
    for row in rows:
        row["concept:instance"] += "-again"


@pytest.mark.parametrize("change", [drop_last, add_one, move_to_another_case, give_other_ids])
def test_a_case_that_the_store_has_otherwise_is_a_difference_and_is_let_be(
    run: Run, small: Path, change: Callable[[list[Row]], None]
) -> None:
    results(run, small, "sqlite:///permits.db")
    rows = made_rows(3)
    change(rows)
    write_log(small, rows)
    found = results(run, small, "sqlite:///permits.db", code=1)
    assert found["differences"] != "0"
    assert found["added"] == "0"  # and not that everything was there


def test_why_the_store_refused_a_case_is_said(run: Run, small: Path) -> None:
    results(run, small, "sqlite:///permits.db")
    rows = made_rows(3)
    give_other_ids(rows)
    finished = run(PROGRAM, write_log(small, rows), "--store", "sqlite:///permits.db")
    assert "stream 'PermitApplication-case-2' is at version 3, the append expected" in (
        finished.stderr
    )


# Broken input.


def broken(small: Path, run: Run) -> str:
    """Run the program on a broken log; give the one line it says."""
    finished = run(PROGRAM, small, "--store", "sqlite:///permits.db")
    assert finished.returncode == 2, finished.stdout
    assert not finished.stdout
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert not (small.parent / "permits.db").exists()
    return finished.stderr


@pytest.mark.parametrize("column", sorted(row_of(0, 0)))
def test_a_missing_column_is_named(permits: ModuleType, small: Path, column: str) -> None:
    write_log(small, [{key: row[key] for key in row if key != column} for row in made_rows(3)])
    with pytest.raises(permits.LogError, match=f"{column}: the column is missing"):
        permits.read_log(small)


def test_a_missing_column_stops_the_program(run: Run, small: Path) -> None:
    small.write_text(small.read_text("utf-8").replace("org:group", "group", 1), "utf-8")
    assert "small.csv, line 1: org:group: the column is missing" in broken(small, run)


def test_a_column_that_would_be_lost_is_refused(run: Run, small: Path) -> None:
    write_log(small, [row | {"org:room": "12"} for row in made_rows(3)])
    assert "line 1: org:room: the column is unknown" in broken(small, run)


def test_a_column_that_is_there_twice_is_refused(run: Run, small: Path) -> None:
    header, _, rest = small.read_text("utf-8").partition("\n")
    small.write_text(f"{header.rstrip()},org:group\n{rest}", "utf-8")
    assert "line 1: org:group: the column is unknown, or there twice" in broken(small, run)


BAD_CELLS = [
    ("time:timestamp", "yesterday", "'yesterday'"),
    ("time:timestamp", "2011-11-01 08:26:25", "incomplete: '2011-11-01 08:26:25'"),
    ("case:deadline", "2011-11-31 08:26:25+01:00", "day is out of range"),
    ("case:channel", "", "case:channel: incomplete: ''"),
    ("concept:name", "T99 Rest", "unknown activity 'T99 Rest'"),
    ("case:department", "Experts", "the columns case:* differ"),
]


@pytest.mark.parametrize(("column", "text", "message"), BAD_CELLS)
def test_a_bad_cell_is_named_with_its_line(
    run: Run, small: Path, column: str, text: str, message: str
) -> None:
    rows = made_rows(3)
    rows[-1][column] = text
    write_log(small, rows)
    line = broken(small, run)
    assert "small.csv, line 7: " in line
    assert message in line


def test_a_case_without_a_receipt_is_refused(run: Run, small: Path) -> None:
    write_log(small, made_rows(3)[2:])
    assert "case-1: the case does not begin with 'Confirmation of receipt'" in broken(small, run)


@pytest.mark.parametrize("case", ["c" * 255, "case\t2"])
def test_a_case_that_cannot_name_a_stream_is_refused(run: Run, small: Path, case: str) -> None:
    rows = made_rows(3)
    rows[-1]["case:concept:name"] = case
    write_log(small, rows)
    assert "small.csv, line 7: invalid stream id" in broken(small, run)


def test_an_id_that_is_there_twice_is_refused(run: Run, small: Path) -> None:
    rows = made_rows(3)
    rows[-1]["concept:instance"] = "task-0-0"
    write_log(small, rows)
    assert "line 7: case-2: the concept:instance 'task-0-0' is there twice" in broken(small, run)


def test_a_row_with_too_many_cells_is_refused(run: Run, small: Path) -> None:
    small.write_text(small.read_text("utf-8") + "," * 15 + "more\n", "utf-8")
    assert "cells beyond the last column: ['more']" in broken(small, run)


def test_a_row_that_was_cut_off_is_refused(run: Run, small: Path) -> None:
    small.write_text(small.read_text("utf-8")[:-40], "utf-8")
    assert "small.csv, line 7: " in broken(small, run)


def test_a_file_that_is_no_text_is_refused(run: Run, small: Path) -> None:
    small.write_bytes(b"SQLite format 3\0\xff\xfe")
    assert "small.csv, line " in broken(small, run)


def test_an_empty_file_is_refused(run: Run, small: Path) -> None:
    small.write_text("", "utf-8")
    assert "small.csv: no rows" in broken(small, run)


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    assert "nowhere.csv" in broken(tmp_path / "nowhere.csv", run)


@pytest.mark.parametrize("tasks", ["0", "-1", "many"])
def test_a_number_of_tasks_that_does_nothing_is_refused(run: Run, small: Path, tasks: str) -> None:
    finished = run(PROGRAM, small, "--store", "sqlite:///permits.db", f"--tasks={tasks}")
    assert finished.returncode == 2
    assert "--tasks" in finished.stderr.splitlines()[-1]
    assert not (small.parent / "permits.db").exists()


@pytest.mark.parametrize("url", ["permits.db", "nowhere://permits", "sqlite:///no/such/folder.db"])
def test_a_store_that_cannot_be_opened_is_one_clear_line(run: Run, small: Path, url: str) -> None:
    finished = run(PROGRAM, small, "--store", url)
    assert finished.returncode == 2
    assert finished.stderr.startswith("permits: ")
    assert finished.stderr.count("\n") == 1
