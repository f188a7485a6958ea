"""The commands `migrate`, `rollback` and `status`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.eventsourcing_cli._stores import event, events_in, fill
from tests.eventsourcing_cli._terminal import Terminal
from tests.eventsourcing_postgres._databases import temporary_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.eventsourcing_cli.conftest import Command, Run


@pytest.fixture
def bare_url(server_url: str, url: str) -> Iterator[str]:
    """Give the URL of a database without the schema."""
    with temporary_database(server_url, f"{url.rpartition('/')[2]}_bare") as bare:
        yield bare


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, file: str) -> str:
    """Give the URL of a store without its schema."""
    if request.param == "sqlite":
        return file
    found: str = request.getfixturevalue("bare_url")
    return found


def test_a_schema_goes_up_and_down(run: Run, empty: str) -> None:
    assert json.loads(run("status", empty, "--json").out)["applied"] == 0
    up = json.loads(run("migrate", empty, "--json").out)
    assert up["applied"] == up["latest"] > 0
    assert json.loads(run("status", empty, "--json").out) == up
    assert run("rollback", empty, "--to", "0", "--yes").code == 0
    assert json.loads(run("status", empty, "--json").out)["applied"] == 0


def test_the_exit_code_says_whether_the_schema_is_up_to_date(run: Run, empty: str) -> None:
    assert run("status", empty).code == 1
    assert run("migrate", empty).code == 0
    assert run("status", empty).code == 0


def test_what_is_not_up_to_date_has_a_cure(run: Run, file: str) -> None:
    outcome = run("status", file)
    assert outcome.out == "migration 0 of 6\n"
    assert outcome.err == "there is no schema yet: eventsourcing migrate URL makes it\n"


def test_asking_for_the_status_makes_no_file(run: Run, file: str) -> None:
    run("status", file)
    assert not Path(file.removeprefix("sqlite:///")).exists()


@pytest.mark.parametrize(
    ("version", "said"), [((3, 51, 2), "warning: SQLite 3.51.2, "), ((3, 51, 3), "")]
)
def test_the_status_warns_of_a_fault_of_sqlite(
    run: Run, file: str, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], said: str
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
    run("migrate", file)
    outcome = run("status", file)
    assert (outcome.code, outcome.out) == (0, "migration 6 of 6\n")
    assert outcome.err[: len("warning: SQLite 3.51.2, ")] == said


def test_a_rollback_in_a_pipe_is_not_done_unasked(run: Run, file: str) -> None:
    fill(file, "doc-1", event())
    outcome = run("rollback", file, "--to", "0")
    assert outcome.code == 1
    assert "--yes" in outcome.err
    assert len(events_in(file)) == 1


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_a_rollback_on_a_terminal_asks(
    command: Command, file: str, answer: str, code: int, left: int
) -> None:
    fill(file, "doc-1", event())
    terminal = Terminal(command("rollback", file, "--to", "0"))
    terminal.read_until("Drop every event and snapshot?")
    terminal.write(f"{answer}\n")
    assert terminal.finish() == code
    assert len(events_in(file)) == left


def test_a_store_without_a_schema_says_so(run: Run, memory: str) -> None:
    outcome = run("migrate", memory)
    assert outcome.code == 1
    assert "memory" in outcome.err


def test_a_migration_that_is_not_there_is_refused(run: Run, file: str) -> None:
    run("migrate", file)
    outcome = run("rollback", file, "--to", "7", "--yes")
    assert outcome.code == 1
    assert "got 7" in outcome.err


def test_the_url_of_the_application_will_do(run: Run, bare_url: str) -> None:
    url = f"{bare_url}?schema=bank&max_size=5"
    assert run("migrate", url).code == 0
    assert run("status", url).code == 0
    assert run("status", bare_url).code == 1
