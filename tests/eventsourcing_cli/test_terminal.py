"""The command on a terminal of 60 columns: for people."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from eventsourcing_core import Event
from tests.eventsourcing_cli._stores import NOON, event, fill

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Command

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals on Windows", allow_module_level=True)

from tests.eventsourcing_cli._terminal import (
    COLUMNS,
    Terminal,
    shown_on_terminal,
    without_styles,
)

LONG = "BankAccount-" + "0123456789" * 24


def unfolded(shown: str) -> str:
    """Put what was folded into lines together again."""
    return re.sub(r"\s+", "", without_styles(shown))


def test_an_event_is_a_few_lines(file: str, command: Command) -> None:
    fill(file, "doc-1", Event("noted", {"n": 1}, timestamp=NOON, metadata={"by": "Zoë"}))
    shown = without_styles(shown_on_terminal(command("show", file, "doc-1")))
    assert [line.rstrip() for line in shown.splitlines()] == [
        "   1  noted  position 1  2026-11-25T12:00:00.000000Z",
        '      {"n": 1}',
        '      metadata {"by": "Zoë"}',
    ]


def test_among_all_streams_an_event_names_its_own(file: str, command: Command) -> None:
    fill(file, "doc-1", event(n=1))
    shown = without_styles(shown_on_terminal(command("tail", file)))
    first = shown.splitlines()[0].rstrip()
    assert first == "   1  noted  doc-1  version 1  2026-11-25T12:00:00.000000Z"


@pytest.mark.parametrize("options", [["show", "{file}", LONG], ["tail", "{file}"]])
def test_what_is_too_long_is_folded_and_not_cut(
    file: str, command: Command, options: list[str]
) -> None:
    words = "whatever is written on this line, and more than one will hold"
    fill(file, LONG, Event("t" * 200, {"id": LONG, "words": words, "list": list(range(100))}))
    arguments = [each.replace("{file}", file) for each in options]
    shown = shown_on_terminal(command(*arguments))
    assert max(cell_len(line) for line in without_styles(shown).splitlines()) <= COLUMNS
    whole = unfolded(shown)
    assert "t" * 200 in whole
    assert whole.count(LONG) == (1 if options[0] == "show" else 2)
    assert words.replace(" ", "") in whole
    assert "…" not in whole


def test_plugins_fit_in_without_being_cut(command: Command) -> None:
    shown = shown_on_terminal(command("plugins"))
    assert max(cell_len(line) for line in without_styles(shown).splitlines()) <= COLUMNS
    assert "postgresql" in shown
    assert "eventsourcing-inmemory" in shown


def test_the_summaries_of_the_commands_are_not_cut(command: Command) -> None:
    shown = unfolded(shown_on_terminal(command("--help")))
    summary = "streams List the streams of a store, by their ids, each with its version."
    assert unfolded(summary) in shown


@pytest.mark.parametrize("name", ["export", "tail"])
def test_help_is_folded_where_the_terminal_ends(command: Command, name: str) -> None:
    shown = without_styles(shown_on_terminal(command(name, "--help"), {"COLUMNS": "80"}))
    prose = shown.partition("╭")[0].replace(" \n", "\n")
    folded = [
        (line.strip(), after.split()[0])
        for paragraph in re.split(r"\n\s*\n", prose)
        for line, after in pairwise(paragraph.strip().splitlines())
    ]
    assert folded
    assert [line for line, word in folded if len(f"{line} {word}") <= 78] == []


def test_no_line_of_the_demo_is_wrapped_in_the_middle_of_its_code(
    command: Command, tmp_path: object
) -> None:
    shown = without_styles(shown_on_terminal(command("demo", f"{tmp_path}/bank.db")))
    wrapped = [line for line in shown.splitlines() if re.match(r"  [a-z_]+[.][a-z]", line)]
    assert wrapped == []


def test_an_event_sends_no_code_of_its_own_to_the_terminal(file: str, command: Command) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]"
    fill(file, "doc-1", Event("noted", {hostile: hostile}, metadata={"by": hostile}))
    shown = without_styles(shown_on_terminal(command("tail", file)))
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown) == []
    assert unfolded(shown).count("\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m[boldred]") == 3


COLOUR = re.compile(r"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7])[;m]")


def test_there_are_colours_unless_they_are_not_wanted(file: str, command: Command) -> None:
    fill(file, "doc-1", event(n=1))
    assert COLOUR.search(shown_on_terminal(command("tail", file)))
    assert not COLOUR.search(shown_on_terminal(command("tail", file), {"NO_COLOR": "1"}))


@pytest.mark.parametrize("arguments", [["--help"], ["show", "--help"], ["tail", "--help"]])
def test_help_cuts_no_option(command: Command, arguments: list[str]) -> None:
    shown = without_styles(shown_on_terminal(command(*arguments)))
    lines = [line for line in shown.splitlines() if not line.startswith("    eventsourcing ")]
    assert max(map(cell_len, lines)) <= COLUMNS  # examples are for copying: each is one line
    assert "…" not in shown
    assert "--help" in shown


def test_an_error_is_one_line_however_long(command: Command) -> None:
    terminal = Terminal(command("tail", "sqlite:///bank.db?pool=9"))
    assert terminal.finish() == 1
    shown = without_styles(terminal.shown)
    assert shown.startswith("error: the backend 'sqlite' has no option 'pool'; its options are: b")
    assert shown.count("\n") == 1


def test_ctrl_c_on_a_terminal_ends_following_without_a_word(file: str, command: Command) -> None:
    fill(file, "doc-1", event(n=1))
    terminal = Terminal(command("tail", file, "--follow"))
    terminal.read_until("version 1")
    before = len(terminal.shown)
    terminal.interrupt()
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.shown[before:]
