"""The contracts as somebody else uses them: in a project of their own, in pytest-asyncio's way."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from contextlib import asynccontextmanager

import pytest
from eventsourcing_core import JsonSerializer
from eventsourcing_core.testing import *
from eventsourcing_inmemory import InMemoryEventStore, InMemorySnapshotStore

@asynccontextmanager
async def opened(kind, *arguments):
    store = kind(*arguments)
    yield store
    store.close()

class TestMyEventStore(EventStoreContract):
    examples = 5

    @pytest.fixture
    def open_store(self):
        return lambda codec: opened(InMemoryEventStore, codec)

class TestMySnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def open_store(self):
        return lambda: opened(InMemorySnapshotStore)

class TestMySerializer(SerializerContract):
    @pytest.fixture
    def serializer(self):
        return JsonSerializer()
"""

FORGETFUL = """
from eventsourcing_core.testing import EventStoreContract

class TestMyEventStore(EventStoreContract):
    pass
"""

BROKEN = """
import pytest
from eventsourcing_core.testing import SerializerContract

class TestMySerializer(SerializerContract):
    @pytest.fixture
    def serializer(self):
        class Mine:
            name = "NOT ALLOWED"
        return Mine()
"""


def run(
    folder: Path, program: str, *options: str, scope: str = "function"
) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file, in a folder with settings of its own."""
    (folder / "test_mine.py").write_text(program, encoding="utf-8")
    settings = f"[pytest]\nasyncio_default_fixture_loop_scope = {scope}\n"
    (folder / "pytest.ini").write_text(settings, encoding="utf-8")
    return subprocess.run(  # noqa: S603 - the program is above
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def test_a_few_lines_run_every_test_in_strict_mode(tmp_path: Path) -> None:
    finished = run(tmp_path, PROGRAM, "--asyncio-mode=strict")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "skipped" not in finished.stdout
    assert int(finished.stdout.split(" passed")[0].split()[-1]) > 300


def test_other_settings_of_pytest_asyncio_make_no_difference(tmp_path: Path) -> None:
    options = ("--asyncio-mode=auto", "-k", "wait or model or prune or loop")
    finished = run(tmp_path, PROGRAM, *options, scope="session")
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_forgotten_fixture_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    finished = run(tmp_path, FORGETFUL, "-k", "test_positions_increase")
    assert finished.returncode == 1
    assert "override the fixture open_store" in finished.stdout


def test_a_failing_test_shows_the_values(tmp_path: Path) -> None:
    finished = run(tmp_path, BROKEN, "-k", "name")
    assert finished.returncode == 1
    assert re.search(r"where None = .*fullmatch.*'NOT ALLOWED'", finished.stdout)
