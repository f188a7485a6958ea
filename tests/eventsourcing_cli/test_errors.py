"""What goes wrong is one line on the standard error stream, and a code."""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli import _run, _show
from eventsourcing_core import StorageError
from tests.eventsourcing_cli._stores import event, fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Run


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bank.db", "not a backend URL: 'bank.db'; it begins with a scheme, as sqlite:///file.db"),
        ("sqlite://bank.db", "write sqlite:///bank.db (three slashes)"),
        ("oracle://bank", "no backend for 'oracle' (installed: memory, postgres, postgresql, sql"),
        ("sqlite:///bank.db?pool=9", "has no option 'pool'; its options are: busy_timeout"),
        ("sqlite:////no/such/folder/bank.db", "the directory '/no/such/folder' does not exist"),
    ],
)
def test_a_url_that_opens_nothing_is_refused_with_the_cure(run: Run, url: str, said: str) -> None:
    found = run("tail", url)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: ")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_who_names_a_store_that_is_not_there_is_told_what_makes_it(run: Run, file: str) -> None:
    found = run("tail", file)
    assert (found.code, found.out) == (1, "")
    assert "correct the path, or make it with `eventsourcing migrate URL`" in found.err


def test_a_file_that_is_no_store_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("What to buy. " * 100, "utf-8")
    found = run("show", f"sqlite:///{tmp_path}/notes.db", "s-1")
    assert (found.code, found.out) == (1, "")
    assert "is not an SQLite database" in found.err


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_traceback_is_shown_when_it_is_asked_for_anywhere(run: Run, place: int) -> None:
    arguments = ["show", "nowhere://", "s-1"]
    arguments.insert(place, "--traceback")
    found = run(*arguments)
    assert found.code == 1
    assert found.err.startswith("Traceback (most recent call last):\n")
    assert found.err.splitlines()[-1].startswith("error: no backend for 'nowhere'")


def test_behind_two_dashes_it_is_the_name_of_a_stream(run: Run, memory: str) -> None:
    fill(memory, "--traceback", event(n=1))
    assert run("show", memory, "--", "--traceback").code == 0


def test_an_error_of_several_lines_is_put_on_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        message = "the server says:\n  HINT: \x1b[31mtry again\n"
        raise StorageError(message)

    monkeypatch.setattr(_show, "reading", fail)
    found = run("show", "memory://", "s-1")
    assert found.err == "error: the server says: HINT: \\u001b[31mtry again\n"


def test_a_mistake_of_the_command_is_no_traceback_either(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise KeyError(0)

    monkeypatch.setattr(_show, "reading", fail)
    found = run("show", "memory://", "s-1")
    assert found.code == 1
    assert found.err.startswith("error: unexpected KeyError: 0; this is a mistake")
    assert found.err.count("\n") == 1


def test_ctrl_c_outside_of_the_commands_ends_it_without_a_word(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "_dispatch", interrupt)
    assert run("tail", "memory://") == (130, "", "")


def test_what_the_library_logs_is_a_line_without_control_characters(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warn(_: str) -> None:
        logging.getLogger("eventsourcing_core.codec").warning("look at %s", "\x1b[2J")
        raise ValueError

    monkeypatch.setattr(_show, "reading", warn)
    found = run("show", "memory://", "s-1")
    assert found.err == "warning: look at \\u001b[2J\nerror: ValueError\n"


def test_an_error_that_is_logged_with_its_traceback_is_shown_with_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        error = KeyError("sesame \x1b[2J")
        logging.getLogger("eventsourcing_core.projections").error("it failed", exc_info=error)
        raise ValueError

    monkeypatch.setattr(_show, "reading", fail)
    found = run("show", "postgresql://me:sesame@127.0.0.1:1/bank", "s-1")
    assert found.err.splitlines() == [
        "KeyError: '… \\x1b[2J'",
        "error: it failed",
        "error: ValueError",
    ]


def test_the_log_is_left_as_it_was(run: Run, memory: str) -> None:
    before = list(logging.getLogger().handlers)
    run("tail", memory)
    assert logging.getLogger().handlers == before


def test_nothing_typed_is_answered_with_help(run: Run) -> None:
    found = run()
    assert (found.code, found.err) == (0, "")
    assert found.out == run("--help").out
    assert found.out.startswith("Usage: eventsourcing")


def test_the_version_is_that_of_the_distribution(run: Run) -> None:
    assert run("--version") == (0, f"eventsourcing {version('eventsourcing-cli')}\n", "")


def test_a_command_that_is_not_there_is_wrong_usage(run: Run) -> None:
    found = run("shwo")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: No such command 'shwo'")
    assert found.err.count("\n") == 1
