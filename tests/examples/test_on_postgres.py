"""The examples on PostgreSQL: unchanged, with another URL."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_backend
from tests.eventsourcing_postgres._databases import temporary_database
from tests.examples.test_permits import (
    CASES,
    REAL,
    Log,
    give_other_ids,
    kill_when_it_shows_progress,
    made_rows,
    results,
    write_log,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.examples.conftest import Command, Run

BANK = "bank_account.py"
PERMITS = "permits.py"


@pytest.fixture
def bare_url(server_url: str, url: str) -> Iterator[str]:
    """Give the URL of a database without the schema."""
    with temporary_database(server_url, f"{url.rpartition('/')[2]}_bare") as bare:
        yield bare


@pytest.fixture
def made(tmp_path: Path) -> Log:
    rows = made_rows(CASES)
    return Log(write_log(tmp_path / "made.csv", rows), CASES, len(rows))


@pytest.fixture(params=["made", "real"])
def log(request: pytest.FixtureRequest, made: Log) -> Log:
    if request.param == "made":
        return made
    if not REAL.exists():
        pytest.skip(f"the real log is not at {REAL}: name it with PERMITS_CSV")
    return Log(REAL, 1434, 8577)


def printed(run: Run, store: str) -> str:
    """Run the bank account; give what it prints."""
    finished = run(BANK, "--store", store)
    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    return finished.stdout


# The bank account.


def test_the_bank_account_tells_the_same_story_as_in_memory(run: Run, url: str) -> None:
    def told(store: str) -> tuple[list[str], str]:
        story, _, turns = printed(run, store).partition("The same with up to 3 attempts each:\n")
        # The times before the recorded events differ, and who takes which turn.
        lines = [line[23:] if line[2:4] == "20" else line for line in story.splitlines()]
        return lines, turns.splitlines()[-1]

    assert told(url) == told("memory://")


def test_a_second_run_goes_on_with_the_same_account(run: Run, url: str) -> None:
    printed(run, url)
    assert printed(run, url).endswith("Loaded: Alice, balance 200.00, version 11\n")


# The schema.


@pytest.mark.parametrize(("program", "code"), [(BANK, 1), (PERMITS, 2)])
def test_without_the_schema_the_one_line_of_the_error_holds_the_command_that_helps(
    run: Run, bare_url: str, tmp_path: Path, program: str, code: int
) -> None:
    arguments = [write_log(tmp_path / "small.csv", made_rows(3))] if program == PERMITS else []
    arguments_and_store = [*arguments, "--store", bare_url]
    finished = run(program, *arguments_and_store)
    assert finished.returncode == code
    assert finished.stderr.count("\n") == 1
    prefix, _, command = finished.stderr.partition("run: python ")
    assert prefix.startswith(f"{program[:-3]}: the schema 'eventsourcing' is not there")
    subprocess.run(  # noqa: S603 - what the user is told to run
        [sys.executable, *shlex.split(command.replace("URL", bare_url))],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert run(program, *arguments_and_store).returncode == 0


def test_the_url_can_ask_for_the_schema(run: Run, bare_url: str) -> None:
    asking = f"{bare_url}?migrate=true"
    printed(run, asking)
    assert printed(run, asking).endswith("Loaded: Alice, balance 200.00, version 11\n")


def test_the_url_can_name_the_schema(run: Run, bare_url: str) -> None:
    printed(run, f"{bare_url}?migrate=true&schema=bank")
    found = "Loaded: Alice, balance 200.00, version 11\n"
    assert printed(run, f"{bare_url}?schema=bank").endswith(found)


@pytest.mark.parametrize(("program", "code"), [(BANK, 1), (PERMITS, 2)])
def test_a_server_that_is_not_there_is_one_line_without_the_password(
    run: Run, tmp_path: Path, program: str, code: int
) -> None:
    arguments = [write_log(tmp_path / "small.csv", made_rows(3))] if program == PERMITS else []
    finished = run(program, *arguments, "--store", "postgresql://user:secret@127.0.0.1:1/bank")
    assert finished.returncode == code
    assert finished.stderr.startswith(f"{program[:-3]}: ")
    assert finished.stderr.count("\n") == 1
    assert "secret" not in finished.stderr


# The import of permit applications.


def test_a_log_comes_back_as_it_is_in_the_file(run: Run, log: Log, url: str) -> None:
    found = results(run, log.path, url)
    assert found["streams"] == f"{log.streams:,}"
    assert found["events"] == found["added"] == f"{log.events:,}"
    assert found["differences"] == "0"
    assert found["read_all"] == f"{log.events:,} events in order, in pages of 500"


def test_a_second_import_adds_nothing(run: Run, made: Log, url: str) -> None:
    results(run, made.path, url)
    again = results(run, made.path, url)
    assert again["added"] == "0: everything was there already"
    assert again["events"] == f"{made.events:,}"


def test_a_case_that_the_store_has_otherwise_is_a_difference_and_is_let_be(
    run: Run, tmp_path: Path, url: str
) -> None:
    rows = made_rows(3)
    path = write_log(tmp_path / "small.csv", rows)
    results(run, path, url)
    give_other_ids(rows)
    found = results(run, write_log(path, rows), url, code=1)
    assert (found["added"], found["events"]) == ("0", "6")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on Windows")
async def test_killed_in_the_middle_and_started_again_it_adds_the_rest(
    command: Command, run: Run, made: Log, tmp_path: Path, url: str
) -> None:
    kill_when_it_shows_progress(command(PERMITS, made.path, "--store", url, "--tasks", 1), tmp_path)
    async with open_backend(url) as backend:
        stored = len([event async for event in backend.event_store.read_all()])
    assert 0 < stored < made.events

    found = results(run, made.path, url)

    assert found["added"] == f"{made.events - stored:,}"
    assert found["events"] == f"{made.events:,}"
    assert found["differences"] == "0"


def test_two_imports_of_one_log_at_once_store_it_once(
    command: Command, run: Run, made: Log, url: str, tmp_path: Path
) -> None:
    with subprocess.Popen(  # noqa: S603 - a program of this repository
        command(PERMITS, made.path, "--store", url),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as beside:
        try:
            here = results(run, made.path, url)
            assert beside.wait(timeout=60) == 0
        finally:
            beside.kill()
    assert here["differences"] == "0"
    again = results(run, made.path, url)
    assert again["added"] == "0: everything was there already"
    assert again["events"] == f"{made.events:,}"
