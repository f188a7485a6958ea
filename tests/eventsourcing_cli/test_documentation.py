"""The page about the command keeps up with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from eventsourcing_cli import _run
from eventsourcing_cli._app import app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command.md"
GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
UNNAMED = "list"  # the command of a group that needs no name


def commands_of(group: TyperGroup, begin: str = "") -> dict[str, TyperCommand]:
    """Give the commands of a group, and those of the groups in it, by what is typed."""
    found: dict[str, TyperCommand] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= commands_of(command, f"{begin}{name} ")
        else:
            assert isinstance(command, TyperCommand)
            found[begin.strip() if begin and name == UNNAMED else f"{begin}{name}"] = command
    return found


COMMANDS = commands_of(GROUP)
BESIDE_THE_COMMANDS = {"--help", "-h"}


def section(heading: str) -> str:
    """Give what stands below a heading, up to the next one that is not below it."""
    level = heading.partition(" ")[0]
    text = PAGE.read_text("utf-8")
    below = rf"^{re.escape(heading)}\n(.*?)(?=^{level} |^{level[:-1]} |\Z)"
    found = re.search(below, text, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no heading {heading!r}"
    return found[1]


def options_of(command: str) -> set[str]:
    """Give the options of a command, and the names of its arguments."""
    return {
        name
        for parameter in COMMANDS[command].params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name not in BESIDE_THE_COMMANDS
    }


def test_there_are_the_commands_that_are_documented() -> None:
    documented = re.findall(r"^### `([\w -]+)`$", section("## Commands"), re.MULTILINE)
    assert sorted(documented) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_a_command_are_those_that_are_documented(command: str) -> None:
    text = section(f"### `{command}`")
    documented = set(re.findall(r"`(--?\w[\w-]*)", text))
    assert {name for name in options_of(command) if name.startswith("-")} == documented


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_of_a_command_is_documented(command: str) -> None:
    usage = re.search(rf"`eventsourcing {command}(.*?)`", section(f"### `{command}`"))
    assert usage
    arguments = [name for name in options_of(command) if not name.startswith("-")]
    assert sorted(re.findall(r"[A-Z]+", usage[1])) == sorted(name.upper() for name in arguments)


def test_every_option_beside_the_commands_is_documented() -> None:
    rows = re.findall(r"^\| `(--[\w-]+)`", PAGE.read_text("utf-8"), re.MULTILINE)
    assert GROUP is not None
    options = {name for parameter in GROUP.params for name in parameter.opts}
    assert options - set(rows) == set()


@pytest.mark.parametrize(
    "code", [0, 2, _run.REFUSED, _run.NOTHING_FOUND, _run.INTERRUPTED], ids=str
)
def test_every_exit_code_is_documented(code: int) -> None:
    assert f"\n| {code} | " in section("## Exit codes")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_says_what_it_does_and_shows_it(command: str) -> None:
    help_text = COMMANDS[command].help or ""
    first = help_text.partition("\n")[0]
    assert first.endswith(".")
    assert len(first) <= 68  # what the list of commands shows uncut
    assert f"  eventsourcing {command}" in (COMMANDS[command].epilog or "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command: str) -> None:
    without = [each.name for each in COMMANDS[command].params if not getattr(each, "help", None)]
    assert without == []
