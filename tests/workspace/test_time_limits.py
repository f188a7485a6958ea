"""What a run of the tests says in the end: where one hung, and which were skipped, and why."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import asyncio
import pytest

async def wait_for_ever() -> None:
    await asyncio.Event().wait()

async def test_that_hangs() -> None:
    await wait_for_ever()

@pytest.mark.skip(reason="there is no server here")
def test_that_is_skipped() -> None:
    pass
"""


@pytest.fixture(scope="module")
def said(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give what pytest says of these tests, with the settings of this repository."""
    tests = tmp_path_factory.mktemp("tests") / "test_some.py"
    tests.write_text(TESTS, "utf-8")
    settings = ["--rootdir=.", "--config-file=pyproject.toml"]
    command = [sys.executable, "-m", "pytest", *settings, "-p", "tests._time_limits"]
    finished = subprocess.run(  # noqa: S603 - a program of ours
        [*command, "-p", "no:cacheprovider", "--timeout=1", str(tests)],
        cwd=root,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    return finished.stdout


def test_a_test_that_hangs_is_ended_and_says_where(said: str) -> None:
    assert "Failed: Timeout (>1.0s) from pytest-timeout." in said
    assert "test_some.py:9 in test_that_hangs" in said
    assert "test_some.py:6 in wait_for_ever" in said


def test_failures_and_skips_are_listed_at_the_end_with_their_reasons(said: str) -> None:
    summary = said.partition("short test summary info")[2]
    assert "FAILED" in summary
    assert ": there is no server here" in summary
    assert "1 failed, 1 skipped" in summary


def test_every_test_has_a_time_limit(pytestconfig: pytest.Config) -> None:
    assert 60 <= float(pytestconfig.getini("timeout")) <= 300
