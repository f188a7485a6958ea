"""The command `projections run`, as a process of its own."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli.projections._code import written
from tests.eventsourcing_cli.test_processes import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run
    from tests.eventsourcing_cli.test_processes import Process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has other signals")

DEADLINE = 60.0  # seconds until something counts as never happening
ENDING = "ending after the batches that are under way\n"


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status_of(run: Run, store: str) -> dict[str, Any]:
    """Give how the only projection stands."""
    found: dict[str, Any] = json.loads(run("projections", store, "--json").out)
    return found


def first_line(process: Process) -> str:
    """Give what it says first."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_signal_ends_it_well(
    run: Run, command: Command, folder: Path, file: str, number: signal.Signals
) -> None:
    fill(file, "a-1", event(), event())
    with running(command("projections", "run", file, f"{written(folder)}:Counts")) as process:
        assert first_line(process) == "runs counts, version 1: view, live\n"
        until(lambda: status_of(run, file)["position"] == 2)
        assert len(status_of(run, file)["owners"]) == 1
        process.send_signal(number)
        assert process.communicate() == ("", ENDING)
        assert process.returncode == 0
    found = status_of(run, file)
    assert (found["owners"], found["free"]) == ([], 8)


def test_what_is_under_way_is_ended_first(
    run: Run, command: Command, folder: Path, file: str
) -> None:
    fill(file, "a-1", event())
    with running(command("projections", "run", file, f"{written(folder)}:Slow")) as process:
        until((folder / "begun").exists)
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.readline() == ENDING
        (folder / "go").touch()
        assert process.wait() == 0
    assert status_of(run, file)["position"] == 1


def test_a_second_ctrl_c_ends_it_at_once(
    run: Run, command: Command, folder: Path, file: str
) -> None:
    fill(file, "a-1", event())
    with running(command("projections", "run", file, f"{written(folder)}:Slow")) as process:
        until((folder / "begun").exists)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline() == ENDING
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    found = status_of(run, file)
    assert (found["position"], found["owners"]) == (0, [])


def test_its_options_reach_the_projector(
    run: Run, command: Command, folder: Path, file: str
) -> None:
    fill(file, "a-1", event())
    code, other = f"{written(folder)}:Counts", f"sqlite:///{folder}/views.db"
    options = ["--on", other, "--segments", "5", "--max-segments", "2", "--lease", "1.5"]
    with running(command("projections", "run", file, code, *options)) as process:
        first_line(process)

        def owns_two() -> bool:
            found = json.loads(run("projections", file, "--on", other, "--json").out)
            return (found["segments"], found["free"]) == (5, 3)

        until(owns_two)
        process.terminate()
        assert process.wait() == 0
    assert run("projections", file).code == 3


def test_what_goes_wrong_is_logged(command: Command, folder: Path, file: str) -> None:
    fill(file, "a-1", event(fails=True))
    with running(command("projections", "run", file, f"{written(folder)}:Counts")) as process:
        assert process.stderr is not None
        said = [process.stderr.readline()]
        while said[-1] and not said[-1].startswith("error: "):
            said.append(process.stderr.readline())
        process.terminate()
    where = "parked keys: 1; the first is 'a-1', whose event at position 1 failed with "
    assert said[-1].startswith(f"error: projection counts, version 1: {where}")
    assert "ValueError: it \\u001b[2J fails" in said[-1]
    assert any("in evolve" in line for line in said)  # the traceback


def test_what_cannot_be_registered_is_refused(run: Run, folder: Path, memory: str) -> None:
    run("projections", "rebuild", memory, f"{written(folder, 2)}:Counts")
    outcome = run("projections", "run", memory, f"{written(folder, 1)}:Counts")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
