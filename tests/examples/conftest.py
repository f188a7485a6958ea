"""What the tests of the examples share: starting one as its user does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

Command = Callable[..., list[str]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command() -> Command:
    """Give the command that runs an example, with warnings as errors."""

    def command_of(name: str, *arguments: object) -> list[str]:
        return [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]

    return command_of


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Run:
    """Run an example to its end, in a folder of the test's own."""

    def run_program(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the programs are those of this repository
            command(name, *arguments),
            cwd=tmp_path,
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=120,
        )

    return run_program
