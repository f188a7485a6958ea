"""What the tests of the command share: running it in this process, and as one of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from eventsourcing_cli import main

if TYPE_CHECKING:
    from pathlib import Path

_names = count(1)


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]
Command = Callable[..., list[str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process, as in a pipe."""

    def run_command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    return run_command


@pytest.fixture
def command() -> Command:
    """Give the command as a program, with warnings as errors."""

    def command_of(*arguments: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "eventsourcing_cli", *arguments]

    return command_of


@pytest.fixture
def memory() -> str:
    """Give the URL of a store in the memory of this process, which is empty."""
    return f"memory://cli-{next(_names)}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Give the URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/events.db"
