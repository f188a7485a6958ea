"""The contracts as somebody else uses them: in a project of their own, in pytest-asyncio's way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eventsourcing_core.stores import Guarantee

ROOT = Path(__file__).parents[2]

PROGRAM = """
import zlib
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest
from eventsourcing_core import JsonSerializer
from eventsourcing_core.testing import *
from eventsourcing_inmemory import InMemorySnapshotStore
from eventsourcing_inmemory.plugin import backends

@asynccontextmanager
async def opened(kind, shelf):
    store = kind(shelf)
    yield store
    store.close()

class TestMyEventStore(EventStoreContract):
    examples = 5
    stretch = 5000

    @pytest.fixture
    def new_location(self):
        return lambda: partial(backends()["memory"], f"memory://{uuid4()}")

class TestMySnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def new_location(self):
        return lambda: partial(opened, InMemorySnapshotStore, {})

class TestMyProjectionStore(ProjectionStoreContract):
    @pytest.fixture
    def new_location(self):
        return lambda: partial(backends()["memory"], f"memory://{uuid4()}")

class TestMySerializer(SerializerContract):
    @pytest.fixture
    def serializer(self):
        return JsonSerializer()

class Zlib:
    name = "zlib"
    transform = staticmethod(zlib.compress)
    restore = staticmethod(zlib.decompress)

class TestMyTransformer(TransformerContract):
    @pytest.fixture
    def make_transformer(self):
        return Zlib

class TestMyBackend(BackendContract):
    @pytest.fixture
    def new_url(self, tmp_path):
        return lambda name: f"sqlite:///{tmp_path}/{name}"
"""

PROMISES_LESS = """
import pytest
from eventsourcing_core.testing import BackendContract, EventStoreContract, SnapshotStoreContract
from tests.contracts._promising_less import open_less

class TestMyEventStore(EventStoreContract):
    examples = 5
    stretch = 5000
    is_durable = False

    @pytest.fixture
    def open_parts(self):
        return open_less

class TestAlone(EventStoreContract):
    is_shared = False

    @pytest.fixture
    def new_location(self):
        return lambda: open_less

class TestMySnapshotStore(SnapshotStoreContract):
    is_durable = False

    @pytest.fixture
    def open_store(self):
        return lambda: None

class TestMyBackend(BackendContract):
    @pytest.fixture
    def new_url(self):
        return "memory://{}".format
"""

CANNOT_BE_OPENED_AGAIN = "the store cannot be opened again (is_durable = False)"
OF_SKIPPED_CHAPTERS = (
    "undone or imported_stream or stand_apart or empty_store_has_no or opened_again"
    " or of_both_handles or snapshots_of_the_other or nothing_is_made"
    " or stream_can_be_made or never_given or free_after_an_error"
)

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
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def test_a_few_lines_run_every_test_in_strict_mode(tmp_path: Path) -> None:
    finished = run(tmp_path, PROGRAM, "--asyncio-mode=strict")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "skipped" not in finished.stdout
    assert int(finished.stdout.split(" passed")[0].split()[-1]) > 300


@pytest.mark.parametrize(
    ("processes", "tests"),
    [
        ("-n0", f"{OF_SKIPPED_CHAPTERS} or model or repeat or conflict or at_once or verdict"),
        ("-n1", OF_SKIPPED_CHAPTERS),
    ],
)
def test_chapters_that_are_skipped_are_named_without_being_asked_for(
    tmp_path: Path, processes: str, tests: str
) -> None:
    # What TestAlone opens is gone when it is closed; it is here for its second handle.
    chosen = f"({tests}) and not (TestAlone and opened_again)"
    finished = run(tmp_path, PROMISES_LESS, processes, "-k", chosen)
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed
    for reason in (
        *(f"the backend has no {part}" for part in ("inspection", "transactions", "holding")),
        *(f"the store does not promise that {guarantee.value}" for guarantee in Guarantee),
    ):
        lines = printed.count(f"TestMyEventStore: a chapter is skipped, since {reason}\n")
        assert lines == 1
    for name, reason in (
        ("TestMyEventStore", CANNOT_BE_OPENED_AGAIN),
        ("TestMySnapshotStore", CANNOT_BE_OPENED_AGAIN),
        ("TestAlone", "the store is not opened twice at once (is_shared = False)"),
        ("TestMyBackend", "the backend has no migrator"),
    ):
        assert f"{name}: a chapter is skipped, since {reason}\n" in printed


def test_other_settings_of_pytest_asyncio_make_no_difference(tmp_path: Path) -> None:
    options = ("--asyncio-mode=auto", "-k", "wait or model or prune or loop")
    finished = run(tmp_path, PROGRAM, *options, scope="session")
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_forgotten_fixture_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    finished = run(tmp_path, FORGETFUL, "-k", "test_positions_increase")
    assert finished.returncode == 1
    assert "override the fixture new_location" in finished.stdout
    finished = run(tmp_path, FORGETFUL, "-k", "test_versions_go_on")
    assert finished.returncode == 1
    assert "set is_durable = False, and override the fixture open_parts" in finished.stdout


def test_a_failing_test_shows_the_values(tmp_path: Path) -> None:
    finished = run(tmp_path, BROKEN, "-k", "name")
    assert finished.returncode == 1
    assert re.search(r"where None = .*fullmatch.*'NOT ALLOWED'", finished.stdout)
