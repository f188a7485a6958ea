"""The command `demo`, always as a process of its own: it registers its events."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import plugins
from tests.eventsourcing_cli._stores import events_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run


@pytest.fixture
def shown(command: Command, tmp_path: Path) -> str:
    """Give what the demo writes into a pipe, on a file of its own."""
    return said(command("demo", "bank.db"), tmp_path)


def said(command: list[str], folder: Path) -> str:
    finished = subprocess.run(  # noqa: S603 - the command of this repository
        command, cwd=folder, capture_output=True, check=False, encoding="utf-8"
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


def code_in(shown: str) -> list[str]:
    """Give the blocks of code that were shown, without the commands at the end."""
    blocks = re.findall(r"^(?:    .*\n|\n(?=    ))+", shown, re.MULTILINE)
    return [dedent(block).strip() for block in blocks][:-1]


def output_in(shown: str) -> list[str]:
    """Give the lines that the steps printed: neither indented nor of a heading."""
    lines = [line for line in shown.splitlines() if line and not line.startswith("    ")]
    return [line for line in lines[1:-1] if not re.match(r"\d\. [A-Z]", line)]


def test_the_code_that_is_shown_does_what_is_shown(shown: str, tmp_path: Path) -> None:
    steps = re.findall(r"^    async def (\w+)[(]url", shown, re.MULTILINE)
    calls = [f"asyncio.run({step}('sqlite:///again.db'))" for step in steps]
    (tmp_path / "again.py").write_text("\n\n".join(["import asyncio", *code_in(shown), *calls]))
    again = said([sys.executable, "-W", "error", "again.py"], tmp_path).splitlines()
    assert len(steps) == 5
    # The snapshot holds the id of an event, which is another one each time.
    assert [line for line in again if "$uuid" not in line] == [
        line for line in output_in(shown) if "$uuid" not in line
    ]


def test_a_conflict_is_shown(shown: str) -> None:
    assert "\nConcurrencyError: stream 'BankAccount-alice' is at version 3" in shown


def test_a_snapshot_is_shown(shown: str) -> None:
    assert '"state":{"owner":"Alice","balance":"100"}' in shown


def test_the_events_are_in_the_file_that_was_named(
    shown: str, tmp_path: Path, command: Command
) -> None:
    assert shown.startswith("A bank on this file: sqlite:///bank.db\n")
    events = events_in(f"sqlite:///{tmp_path}/bank.db")
    assert [event.stream_id for event in events].count("BankAccount-alice") == 3
    found = said(command("show", "sqlite:///bank.db", "BankAccount-alice"), tmp_path)
    assert found.count("\n") == 3


def test_a_temporary_file_stays_for_the_commands_that_are_told_to_try(
    command: Command, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shown = said(command("demo"), tmp_path)
    assert shown.startswith(f"A bank on a temporary file, which stays: sqlite:///{tmp_path}/event")
    tried = re.findall(r"^    eventsourcing (.*sqlite.*)$", shown, re.MULTILINE)
    assert len(tried) == 3
    assert [run(*arguments.split()).code for arguments in tried] == [0, 0, 0]


def test_a_file_that_is_there_is_left_alone(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bank.db"
    file.write_bytes(b"mine")
    found = run("demo", str(file))
    assert (found.code, found.out) == (1, "")
    assert f"eventsourcing tail sqlite:///{file}" in found.err
    assert file.read_bytes() == b"mine"


@pytest.mark.parametrize("url", ["sqlite:///bank.db", "postgresql://localhost/bank"])
def test_a_url_is_no_file(run: Run, url: str) -> None:
    found = run("demo", url)
    assert (found.code, found.out) == (2, "")
    assert "give the path of a file, as bank.db, and not a URL" in found.err


def test_without_the_plugin_for_sqlite_the_command_that_installs_it_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(plugins, "installed_plugins", lambda: plugins.load_plugins([]))
    found = run("demo")
    assert (found.code, found.out) == (1, "")
    assert 'pip install "eventsourcing-core[sqlite]"' in found.err
    assert list(tmp_path.iterdir()) == []
