"""The commands `projections switch`, `pause`, `resume`, `make-async`, `drop` and `segments`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli.projections._code import written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run


@pytest.fixture(params=["memory", "file", "url"])
def store(request: pytest.FixtureRequest, run: Run, folder: Path) -> str:
    """Give a store of each kind in which version 2 of a view is ready beside version 1."""
    found: str = request.getfixturevalue(request.param)
    fill(found, "a-1", event())
    for version in (1, 2):
        outcome = run("projections", "rebuild", found, f"{written(folder, version)}:Counts")
        assert outcome.code == 0
    return found


def found_in(run: Run, store: str) -> list[dict[str, Any]]:
    """Give all versions."""
    lines = run("projections", store, "--json").out.splitlines()
    return [json.loads(line) for line in lines]


def test_the_newest_version_is_switched_to_and_back(run: Run, store: str) -> None:
    there = run("projections", "switch", store, "counts")
    assert (there.code, there.out) == (0, "counts: version 2 is live now\n")
    assert [each["state"] for each in found_in(run, store)] == ["retired", "live"]
    back = run("projections", "switch", store, "counts", "--version", "1")
    assert (back.code, back.out) == (0, "counts: version 1 is live now\n")
    assert [each["state"] for each in found_in(run, store)] == ["live", "retired"]


def test_a_version_is_paused_and_resumed(run: Run, store: str) -> None:
    assert run("projections", "pause", store, "counts").out == "counts: paused\n"
    run("projections", "pause", store, "counts", "--version", "2")
    run("projections", "resume", store, "counts", "--version", "2")
    assert [each["is_paused"] for each in found_in(run, store)] == [True, False]
    assert "\tpaused\t" in run("projections", store).out
    assert run("projections", "resume", store, "counts").out == "counts: resumed\n"
    assert [each["is_paused"] for each in found_in(run, store)] == [False, False]


def test_a_version_is_dropped(run: Run, store: str) -> None:
    outcome = run("projections", "drop", store, "counts", "--version", "2", "--yes")
    assert (outcome.code, outcome.out) == (0, "counts: version 2 was dropped\n")
    assert [each["version"] for each in found_in(run, store)] == [1]


def test_a_version_is_not_dropped_unasked_in_a_pipe(run: Run, memory_store: str) -> None:
    outcome = run("projections", "drop", memory_store, "counts", "--version", "1")
    said = (
        "error: drop deletes version 1 of counts and what it has made: add --yes to do it unasked"
    )
    assert (outcome.code, outcome.err) == (1, f"{said}\n")
    assert len(found_in(run, memory_store)) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_dropping_on_a_terminal_asks(  # noqa: PLR0913 - what is asked, and what comes of it
    run: Run, command: Command, folder: Path, file: str, answer: str, code: int, left: int
) -> None:
    from tests.eventsourcing_cli._terminal import Terminal  # noqa: PLC0415 - as above

    fill(file, "a-1", event())
    run("projections", "rebuild", file, f"{written(folder)}:Counts")
    terminal = Terminal(command("projections", "drop", file, "counts", "--version", "1"))
    terminal.read_until("Drop version 1 of counts and what it has made?")
    terminal.write(f"{answer}\n")
    assert terminal.finish() == code
    assert len(found_in(run, file)) == left


def test_a_number_of_segments_is_wished_for(run: Run, store: str, folder: Path) -> None:
    outcome = run("projections", "segments", store, "counts", "16", "--version", "2")
    assert (outcome.code, outcome.out) == (0, "counts: is to have 16 segments\n")
    fill(store, "a-2", event())
    again = f"{written(folder, 2)}:Counts"
    assert run("projections", "rebuild", store, again, "--switch").code == 0
    assert found_in(run, store)[1]["segments"] == 16


def test_an_inline_one_follows_from_then_on(run: Run, folder: Path, file: str) -> None:
    (folder / "inline_counts.py").write_text(
        "import asyncio, sys\n"
        f"from {written(folder)} import Counts\n"
        "from eventsourcing_core import open_backend\n"
        "async def main():\n"
        "    async with open_backend(sys.argv[1], inline=[Counts()]):\n"
        "        pass\n"
        "asyncio.run(main())\n",
        "utf-8",
    )
    program = [sys.executable, str(folder / "inline_counts.py"), file]
    subprocess.run(program, check=True)  # noqa: S603 - a program of ours
    assert [each["state"] for each in found_in(run, file)] == ["inline"]
    outcome = run("projections", "make-async", file, "counts")
    assert (outcome.code, outcome.out) == (0, "counts: version 1 follows now\n")
    assert [each["state"] for each in found_in(run, file)] == ["live"]


@pytest.fixture
def memory_store(run: Run, folder: Path, memory: str) -> str:
    """Give a store in memory with one version of a view."""
    fill(memory, "a-1", event())
    run("projections", "rebuild", memory, f"{written(folder)}:Counts")
    return memory


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["switch", "nothing"], "there is no projection 'nothing' here (there are: counts)"),
        (["switch", "counts"], "version 1 of projection 'counts' is live already"),
        (["pause", "counts", "--version", "7"], "projection 'counts' has no version 7: it has 1"),
        (["resume", "nothing"], "there is no projection 'nothing' here"),
        (["make-async", "counts"], "version 1 of projection 'counts' is not inline"),
        (["drop", "counts", "--version", "7", "--yes"], "has no version 7"),
        (["segments", "counts", "1025"], "segments is from 1 to 1,024, got 1025"),
        (["parked", "nothing"], "there is no projection 'nothing' here"),
        (["retry", "counts", "--key", "b"], "key 'b' of projection 'counts' is not parked"),
        (["skip", "counts", "--key", "b"], "key 'b' of projection 'counts' is not parked"),
    ],
    ids=" ".join,
)
def test_what_is_refused_is_one_line(
    run: Run, memory_store: str, arguments: list[str], said: str
) -> None:
    command, *rest = arguments
    outcome = run("projections", command, memory_store, *rest)
    assert (outcome.code, outcome.out) == (1, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
