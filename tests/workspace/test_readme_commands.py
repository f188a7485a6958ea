"""The commands of the README are those that are checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def commands(markdown: str) -> list[str]:
    """List the lines of the shell blocks of a page."""
    blocks = re.findall(
        r"^```(?:sh|bash|shell|console)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL
    )
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line]


def test_the_gate_runs_the_test_command_of_the_readme(root: Path) -> None:
    (test_command,) = [
        line for line in commands((root / "README.md").read_text("utf-8")) if line.endswith(" nox")
    ]
    assert test_command in (root / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_gate_can_be_run(root: Path) -> None:
    assert (root / ".ci" / "run").stat().st_mode & 0o111


def test_the_table_of_sessions_is_that_of_the_noxfile(root: Path) -> None:
    noxfile = (root / "noxfile.py").read_text("utf-8")
    contributing = (root / "CONTRIBUTING.md").read_text("utf-8")
    sessions = re.findall(r"^@nox[.]session.*\ndef (\w+)", noxfile, re.MULTILINE)
    assert "tests" in sessions
    assert [name for name in sessions if not re.search(rf"`(?:.* -s )?{name}`", contributing)] == []
