"""The command among others: in pipes, interrupted, and with a reader that goes away."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli._archive import checked
from tests.eventsourcing_cli._stores import event, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has other signals and pipes")

DEADLINE = 60.0  # seconds until something counts as never happening
Process = subprocess.Popen[str]


@contextmanager
def running(command: list[str]) -> Iterator[Process]:
    """Run a command beside the test; it is killed if it does not end."""
    with subprocess.Popen(  # noqa: S603 - the command of this repository
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        deadline = Timer(DEADLINE, process.kill)
        deadline.start()
        try:
            yield process
        finally:
            deadline.cancel()
            process.kill()


def next_number(process: Process) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()
    number: int = json.loads(line)["data"]["n"]
    return number


def interrupt(process: Process) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    return process.returncode, out, err


def test_following_shows_what_comes_from_another_process(file: str, command: Command) -> None:
    fill(file, "doc-1", event(n=1), event(n=2))
    with running(command("tail", file, "--follow", "--json", "-n", "1")) as process:
        assert next_number(process) == 2
        fill(file, "doc-2", event(n=3))
        assert next_number(process) == 3


def test_following_passes_over_what_was_not_asked_for(file: str, command: Command) -> None:
    fill(file, "doc-1", event(n=1))
    arguments = ("--type", "rare", "--prefix", "doc-", "--after", "0")
    with running(command("tail", file, "--follow", "--json", *arguments)) as process:
        fill(file, "doc-1", event(n=2))
        fill(file, "other-1", event("rare", n=3))
        fill(file, "doc-1", event("rare", n=4))
        assert next_number(process) == 4


def test_ctrl_c_ends_following_and_closes_the_store(
    file: str, command: Command, tmp_path: Path
) -> None:
    fill(file, "doc-1", event(n=1))
    with running(command("tail", file, "--follow", "--json")) as process:
        assert next_number(process) == 1
        assert (tmp_path / "events.db-wal").exists()
        assert interrupt(process) == (130, "", "")
    # SQLite takes away what is beside the file when the last one closes it.
    assert [path.name for path in tmp_path.iterdir()] == ["events.db"]


@pytest.mark.parametrize("follow", [[], ["--follow"]], ids=["", "follow"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_a_reader_that_goes_away_ends_the_command_silently(
    file: str, command: Command, follow: list[str], options: list[str]
) -> None:
    fill(file, "doc-1", *[event(n=n, text="x" * 1000) for n in range(1000)])
    with running(command("tail", file, "--after", "0", *follow, *options)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, "")


def test_a_reader_that_never_was_there_is_no_error_either(command: Command) -> None:
    with running(command("plugins")) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, "")


def test_a_pipe_gets_utf_8_whatever_the_locale(
    file: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(file, "doc-1", event(name="Zoë 漢"))
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    out = subprocess.run(  # noqa: S603 - the command of this repository
        command("show", file, "doc-1"), check=True, capture_output=True
    ).stdout
    assert "Zoë 漢" in out.decode("utf-8")


def test_it_runs_under_its_own_name(file: str) -> None:
    fill(file, "doc-1", event(n=1))
    program = f"{sys.prefix}/bin/eventsourcing"
    with running([program, "show", file, "doc-1"]) as process:
        assert next(iter(process.stdout or ())).startswith("1\t1\t")


def test_without_any_standard_stream_it_works_all_the_same(
    file: str, command: Command, tmp_path: Path
) -> None:
    fill(file, "doc-1", event(n=1))
    exported = tmp_path / "events.jsonl"
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    ended = subprocess.run([*closed, *command("export", file, str(exported))], check=False)  # noqa: S603 - the command of this repository
    assert ended.returncode == 0
    assert checked(exported).events == 1
