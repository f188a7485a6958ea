"""The command `projections rebuild`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_cli._progress import Meter, growing_progress
from eventsourcing_cli._projections import rebuilding
from eventsourcing_core.stores import OutageError
from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli.projections._code import written
from tests.eventsourcing_cli.test_processes import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run

NAMES_AND_STATES = slice(0, 4)


@pytest.fixture(params=["memory", "file", "url"])
def store(request: pytest.FixtureRequest) -> str:
    """Give a store of each kind with three events."""
    found: str = request.getfixturevalue(request.param)
    fill(found, "a-1", event(), event())
    fill(found, "a-2", event())
    return found


def states(run: Run, store: str) -> list[list[str]]:
    """Give name, version, kind and state of all versions."""
    lines = run("projections", store).out.splitlines()
    return [line.split("\t")[NAMES_AND_STATES] for line in lines]


def test_a_first_version_is_live_and_is_run_until_it_has_caught_up(
    run: Run, folder: Path, store: str
) -> None:
    outcome = run("projections", "rebuild", store, f"{written(folder)}:Counts")
    assert (outcome.code, outcome.out) == (0, "counts: version 1 is live\n")
    assert states(run, store) == [["counts", "1", "view", "live"]]


def test_a_new_version_is_built_until_it_is_ready(run: Run, folder: Path, store: str) -> None:
    run("projections", "rebuild", store, f"{written(folder)}:Counts")
    outcome = run("projections", "rebuild", store, f"{written(folder, 2)}:Counts")
    said = "counts: version 2 is ready; run it, and switch to it\n"
    assert (outcome.code, outcome.out) == (0, said)
    assert states(run, store) == [["counts", "1", "view", "live"], ["counts", "2", "view", "ready"]]


def test_a_new_version_is_switched_to(run: Run, folder: Path, store: str) -> None:
    run("projections", "rebuild", store, f"{written(folder)}:ALL")
    outcome = run("projections", "rebuild", store, f"{written(folder, 2)}:ALL", "--switch")
    said = "counts: version 2 is live now\nmailer: version 2 is live now\n"
    assert (outcome.code, outcome.out) == (0, said)
    assert [each[3] for each in states(run, store)] == ["retired", "live"] * 2


def test_a_version_that_is_live_has_to_be_raised(run: Run, folder: Path, store: str) -> None:
    code = f"{written(folder)}:Counts"
    run("projections", "rebuild", store, code)
    outcome = run("projections", "rebuild", store, code)
    said = "version 1 of counts is live already: raise the version in the code to build a new one"
    assert (outcome.code, outcome.err) == (1, f"error: {said}\n")


def test_a_version_that_was_live_before_has_to_be_raised(
    run: Run, folder: Path, memory: str
) -> None:
    fill(memory, "a-1", event())
    code = f"{written(folder)}:Counts"
    run("projections", "rebuild", memory, code)
    run("projections", "rebuild", memory, f"{written(folder, 2)}:Counts", "--switch")
    outcome = run("projections", "rebuild", memory, code)
    assert outcome.code == 1
    assert outcome.err.startswith("error: version 1 of counts was live before: raise the version")


def test_an_outage_is_waited_out(
    run: Run, folder: Path, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = rebuilding._statuses
    outages = iter([OutageError("the store is away")])

    async def look_in_an_outage(*arguments: Any) -> Any:
        for outage in outages:
            raise outage
        return await look(*arguments)

    monkeypatch.setattr(rebuilding, "_statuses", look_in_an_outage)
    outcome = run("projections", "rebuild", memory, f"{written(folder)}:Counts")
    assert (outcome.code, outcome.out) == (0, "counts: version 1 is live\n")
    assert "warning: how far it is, is not known: the store is away\n" in outcome.err


def test_what_is_live_is_left_as_it_is_beside_what_is_new(
    run: Run, folder: Path, memory: str
) -> None:
    module = written(folder)
    run("projections", "rebuild", memory, f"{module}:Mailer")
    outcome = run("projections", "rebuild", memory, f"{module}:ALL")
    assert (outcome.code, outcome.out) == (0, "counts: version 1 is live\n")
    assert "version 1 of mailer is live already, and is left as it is\n" in outcome.err


def test_what_is_paused_is_not_waited_for(run: Run, folder: Path, memory: str) -> None:
    fill(memory, "a-1", event())
    run("projections", "rebuild", memory, f"{written(folder)}:Counts")
    code = f"{written(folder, 2)}:Counts"
    run("projections", "rebuild", memory, code)
    run("projections", "pause", memory, "counts", "--version", "2")
    outcome = run("projections", "rebuild", memory, code)
    assert outcome.code == 1
    assert "projection counts, version 2 is paused: eventsourcing projections resume" in outcome.err


def test_parked_keys_are_told(run: Run, folder: Path, memory: str) -> None:
    fill(memory, "a-1", event(fails=True))
    outcome = run("projections", "rebuild", memory, f"{written(folder)}:Counts")
    assert outcome.code == 0
    assert "warning: 1 keys of projection counts, version 1 are parked\n" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="it has other signals")
def test_ctrl_c_says_how_it_stands(command: Command, folder: Path, file: str) -> None:
    fill(file, "a-1", event())
    code = f"{written(folder)}:Stuck"
    with running(command("projections", "rebuild", file, code, "--lease", "0.5")) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "building: 0 %, 0 of 1\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        said = "interrupted: what was built is kept; the same command goes on after it"
        assert said in process.stderr.read().splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_a_terminal_shows_one_line_that_is_redrawn(
    command: Command, folder: Path, file: str
) -> None:
    from tests.eventsourcing_cli._terminal import Terminal  # noqa: PLC0415 - as above

    fill(file, "a-1", event())
    code = f"{written(folder)}:Stuck"
    terminal = Terminal(command("projections", "rebuild", file, code, "--lease", "0.5"))
    terminal.read_until("building: 0 %, 0 of 1")
    terminal.read_until("\r")
    terminal.interrupt()
    assert terminal.finish() == 130


def test_a_meter_says_how_far_it_is_and_how_long_it_takes() -> None:
    seconds = iter([0.0, 2.0, 20.0, 22.0])
    meter = Meter(lambda: next(seconds))
    assert meter.said(100, 1_000) == "10 %, 100 of 1,000"
    assert meter.said(300, 1_000) == "30 %, 300 of 1,000, 100/s, 0:00:07 left"
    assert meter.said(300, 2_000) == "15 %, 300 of 2,000"
    assert meter.said(1_300, 8_500) == "15 %, 1,300 of 8,500, 500/s, 0:00:14 left"


def test_in_a_pipe_a_line_comes_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    with growing_progress("building", clock=lambda: now) as tell:
        for now in (0.0, 4.9, 5.0, 9.9):
            tell(int(10 * now), 100)
    assert capsys.readouterr().err.splitlines() == [
        "building: 50 %, 50 of 100, 10/s, 0:00:05 left",
    ]
