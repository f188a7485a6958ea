"""Looking into the file as a whole, beside what the contract says of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event
from eventsourcing_sqlite._statements import statement
from tests.eventsourcing_sqlite._files import contents

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_sqlite import SqliteEventStore


@pytest.mark.parametrize("number", range(6))
async def test_pages_of_any_size_show_every_stream_once(
    store: SqliteEventStore, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventsourcing_sqlite._inspection.PAGE", 2)
    wanted = [f"b-{n}" for n in range(number)]
    for stream_id in ("a", *wanted, "c", "d"):
        await store.append(stream_id, [Event("Opened", {})], expected_version=0)
    assert [stream.stream_id async for stream in store.streams(prefix="b-")] == wanted
    assert [stream.stream_id async for stream in store.streams()] == ["a", *wanted, "c", "d"]


async def test_a_long_stream_costs_no_more_than_a_short_one(
    store: SqliteEventStore, path: Path
) -> None:
    for stream_id in ("a", "b", "c"):
        await store.append(stream_id, [Event("Opened", {})], expected_version=0)
    short = steps_to_find_streams(path)
    await store.append("b", noted(3000), expected_version=1)
    assert steps_to_find_streams(path) == short


async def test_the_files_beside_it_are_on_the_disk_too(store: SqliteEventStore, path: Path) -> None:
    await store.append("a", noted(1000), expected_version=0)
    statistics = await store.statistics()
    sizes = {name: len(content) for name, content in contents(path.parent).items()}
    assert set(sizes) == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert statistics.stored_bytes == sum(sizes.values())


def noted(number: int) -> list[Event[object]]:
    return [Event("Noted", {"n": n}) for n in range(number)]


def steps_to_find_streams(path: Path) -> int:
    """Count the steps of SQLite's machine; it calls back after each."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with closing(sqlite3.connect(path)) as connection:
        connection.set_progress_handler(count, 1)
        parameters = {"after": "", "first": b"", "end": b"\xff", "rows": 10}
        assert len(connection.execute(statement("streams"), parameters).fetchall()) == 3
    return steps
