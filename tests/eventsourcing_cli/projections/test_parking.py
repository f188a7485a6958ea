"""The commands `projections parked`, `retry` and `skip`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli.projections._code import written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Run


def park(run: Run, folder: Path, url: str) -> str:
    """Let two keys of a view be parked, one of them with two events."""
    fill(url, "a-1", event(fails=True), event())
    fill(url, "b-2", event(), event(fails=True))
    assert run("projections", "rebuild", url, f"{written(folder)}:Counts").code == 0
    return url


@pytest.fixture(params=["memory", "file", "url"])
def store(request: pytest.FixtureRequest, run: Run, folder: Path) -> str:
    """Give a store of each kind with two parked keys."""
    return park(run, folder, request.getfixturevalue(request.param))


def parked_in(run: Run, store: str) -> dict[str, dict[str, Any]]:
    """Give the parked keys."""
    lines = run("projections", "parked", store, "counts", "--json").out.splitlines()
    return {found["key"]: found for found in map(json.loads, lines)}


def test_parked_keys_are_lines_in_a_pipe(run: Run, store: str) -> None:
    lines = run("projections", "parked", store, "counts").out.splitlines()
    found = sorted(line.split("\t") for line in lines)
    assert [each[:3] for each in found] == [["a-1", "1", "2"], ["b-2", "4", "1"]]
    assert {each[4] for each in found} == {"tried again"}
    assert all(each[5].endswith("ValueError: it \\u001b[2J fails") for each in found)


def test_with_json_each_key_is_an_object(run: Run, store: str) -> None:
    found = parked_in(run, store)["a-1"]
    keys = {"key", "positions", "waiting", "attempts", "error", "is_due", "wish", "is_given_up"}
    assert set(found) == keys
    assert (found["positions"], found["waiting"], found["wish"]) == ([1, 2], 2, None)


def test_no_parked_keys_are_told_apart_from_an_error(run: Run, folder: Path, memory: str) -> None:
    run("projections", "rebuild", memory, f"{written(folder)}:Counts")
    outcome = run("projections", "parked", memory, "counts")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == "nothing: no keys of counts are parked\n"


def test_one_key_is_tried_again(run: Run, store: str) -> None:
    outcome = run("projections", "retry", store, "counts", "--key", "b-2")
    assert (outcome.code, outcome.out) == (0, "counts: 1 parked key is tried again\n")
    assert [parked_in(run, store)[key]["wish"] for key in ("a-1", "b-2")] == [None, "retry"]


def test_all_keys_are_tried_again(run: Run, store: str) -> None:
    outcome = run("projections", "retry", store, "counts", "--all")
    assert (outcome.code, outcome.out) == (0, "counts: 2 parked keys are tried again\n")
    assert [parked_in(run, store)[key]["wish"] for key in ("a-1", "b-2")] == ["retry", "retry"]


def test_the_first_event_of_a_key_is_left_out(run: Run, store: str) -> None:
    outcome = run("projections", "skip", store, "counts", "--key", "a-1")
    said = "counts: the first event of a-1 is left out, and the others are tried\n"
    assert (outcome.code, outcome.out) == (0, said)
    assert "\tskip\t" in run("projections", "parked", store, "counts").out


@pytest.mark.parametrize("options", [[], ["--key", "a", "--all"]], ids=["none", "both"])
def test_retrying_takes_a_key_or_all(run: Run, memory: str, options: list[str]) -> None:
    outcome = run("projections", "retry", memory, "counts", *options)
    assert outcome.code == 2
    assert "give either --key KEY or --all" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_a_terminal_shows_two_lines_for_each_key(
    run: Run, command: Command, folder: Path, file: str
) -> None:
    from tests.eventsourcing_cli._terminal import (  # noqa: PLC0415 - not to be had on Windows
        shown_on_terminal,
        without_styles,
    )

    park(run, folder, file)
    shown = without_styles(shown_on_terminal(command("projections", "parked", file, "counts")))
    assert "a-1  position 1, tried" in shown
    assert "2 events wait" in " ".join(shown.split())
    assert "it \\u001b[2J fails" in " ".join(shown.split())
