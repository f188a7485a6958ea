"""What the tests of the examples share: starting one as its user does, and importing one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

Command = Callable[..., list[str]]
Run = Callable[..., subprocess.CompletedProcess[str]]
Load = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def load() -> Load:
    """Import an example as a module; once each, since its events are registered once."""

    def load_example(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load_example


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
