"""URLs and paths: which file they name, and which name none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, StorageEventStore
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from eventsourcing_sqlite._backend import open_sqlite
from eventsourcing_sqlite.plugin import backends

if TYPE_CHECKING:
    from pathlib import Path

OPENED: list[Event[object]] = [Event("Opened", {})]


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


@pytest.fixture
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def open_url(url: str) -> None:
    async with open_sqlite(url) as parts, StorageEventStore(parts) as store:
        await store.append("doc-1", OPENED, expected_version=0)
        assert parts.snapshot_store is not None
        assert await parts.snapshot_store.load("doc-1") is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///events.db", "events.db"),
        ("sqlite:///./events.db", "events.db"),
        ("sqlite:///my%20events%3F.db", "my events?.db"),
        ("sqlite:///file:events.db", "file:events.db"),
        ("sqlite:///100%25.db", "100%.db"),
        ("sqlite:///no%231.db", "no#1.db"),
        ("sqlite:///%C3%A9v%C3%A9nements.db", "événements.db"),
    ],
)
async def test_three_slashes_begin_at_the_working_directory(
    working_directory: Path, url: str, name: str
) -> None:
    await open_url(url)
    assert names_in(working_directory) == [name]


async def test_four_slashes_begin_at_the_root(path: Path) -> None:
    await open_url(f"sqlite:///{path}")
    assert names_in(path.parent) == ["events.db"]


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("sqlite:", "sqlite:///file.db"),
        ("sqlite://", "sqlite:///file.db, or memory://"),
        ("sqlite:///", "sqlite:///file.db, or memory://"),
        ("sqlite:///:memory:", "sqlite:///file.db, or memory://"),
        ("sqlite://:memory:", "memory://"),
        ("sqlite://events.db", "sqlite:///events.db"),
        ("sqlite://host/events.db", "three slashes"),
        ("sqlite:events.db", "sqlite:///events.db"),
        ("sqlite:///no#1.db", "%23"),
        ("sqlite:///folder/", "not the name of a file"),
        ("sqlite:///%00.db", "not the name of a file"),
        ("sqlite:///%FF.db", "UTF-8"),
    ],
)
async def test_a_url_without_a_path_is_refused_with_the_cure(
    working_directory: Path, url: str, cure: str
) -> None:
    with pytest.raises(ValueError, match=cure):
        await open_url(url)
    assert names_in(working_directory) == []


async def test_a_percent_encoded_slash_is_a_slash(working_directory: Path) -> None:
    (working_directory / "folder").mkdir()
    await open_url("sqlite:///folder%2Fevents.db")
    assert names_in(working_directory / "folder") == ["events.db"]


@pytest.mark.parametrize("name", ["", ":memory:"])
async def test_a_path_that_names_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="memory://"):
        async with SqliteDatabase.open(name):
            pass


async def test_the_file_stays_the_same_when_the_working_directory_changes(
    working_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteDatabase.open("events.db") as database:
        (working_directory / "elsewhere").mkdir()
        monkeypatch.chdir(working_directory / "elsewhere")
        await SqliteEventStore(database).append("doc-1", OPENED, expected_version=0)
    assert names_in(working_directory / "elsewhere") == []


def test_the_plugin_offers_the_scheme() -> None:
    assert backends() == {"sqlite": open_sqlite}
