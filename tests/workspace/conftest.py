"""What the tests about the repository look at."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the workspace."""
    return ROOT


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """The files that are committed, or would be by `git add --all`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `distribution` each folder, `extra` each but the core's, `plugin` each that offers."""
    folders = sorted(path.parent for path in ROOT.glob("eventsourcing_*/pyproject.toml"))
    extras = [folder for folder in folders if folder.name != "eventsourcing_core"]
    plugins = [folder for folder in extras if folder.name != "eventsourcing_cli"]
    for name, values in {"distribution": folders, "extra": extras, "plugin": plugins}.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=[folder.name for folder in values])
