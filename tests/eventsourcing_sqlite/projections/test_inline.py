"""Inline views in SQLite: other programs, the file of a build, and crashes."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Projection, ProjectionError, RecordedEvent, open_backend
from tests.every_store.projections._counts import (
    Counted,
    Counts,
    count,
    counts_of,
    opened,
    true_counts,
    types,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from eventsourcing_core import Backend

_INSERT = (
    "insert into events (stream_id, version, event_id, event_type, encoding, timestamp, data) "
    "values ('raw', 1, randomblob(16), 'counted', 'json', 0, '{}')"
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give the URL of a store."""
    return f"sqlite:///{tmp_path / 'events.db'}"


def execute(path: Path, sql: str) -> list[Any]:
    """Run a statement as another program does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


class Tally(Projection[Any]):
    """Has tables of its own."""

    name = "tally"

    async def apply(self, event: RecordedEvent[Counted], connection: Any) -> None:
        """Write nothing."""


async def test_another_program_may_not_write_events(url: str, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    async with opened(url, Counts()) as backend:
        await count(backend, "a", "x")
        with pytest.raises(sqlite3.OperationalError, match="eventsourcing_inline"):
            execute(path, _INSERT)
        await backend.projections.make_async(Counts)
        execute(path, _INSERT)


async def test_without_an_inline_set_there_is_no_trigger(url: str, tmp_path: Path) -> None:
    triggers = "select name from sqlite_master where type = 'trigger' and name like '%inline%'"
    async with opened(url) as backend:
        await count(backend, "a", "x")
        assert execute(tmp_path / "events.db", triggers) == []
    async with opened(url, Counts()) as backend:
        assert execute(tmp_path / "events.db", triggers) == [("events_inline",)]
        await backend.projections.make_async(Counts)
        assert execute(tmp_path / "events.db", triggers) == []


async def test_tables_of_the_user_cannot_be_inline(url: str) -> None:
    with pytest.raises(ProjectionError, match="is a projection, and this backend has no inline"):
        await open_backend(url, event_types=types, inline=[Counts(), Tally()]).__aenter__()
    async with opened(url) as backend:
        assert await backend.projections.status() == []
        await count(backend, "a", "x")


async def test_its_values_are_in_the_file_of_the_store_meanwhile(url: str, tmp_path: Path) -> None:
    values = "select key, value from {} order by key"
    async with opened(url) as backend, backend.projector([Counts()]) as runs:
        await runs.wait_for(await count(backend, "a", "x", "y"), Counts, timeout=20)
    async with opened(url, Counts()) as backend:
        await count(backend, "a", "y")
        assert execute(tmp_path / "events.db", values.format("inline_values")) == [
            ("x", "1"),
            ("y", "2"),
        ]
        await backend.projections.make_async(Counts)
        assert await counts_of(backend) == {"x": 1, "y": 2}
    assert execute(tmp_path / "events.db", values.format("inline_values")) == []
    own = tmp_path / "events.db.counts-v1"
    assert execute(own, values.format('"view"')) == [("x", "1"), ("y", "2")]


_KILLED = """
import asyncio, os, sys
from tests.every_store.projections._counts import Counts, count, opened

async def main():
    async with opened(sys.argv[1], Counts()) as backend:
        print("ready", flush=True)
        number = 0
        async def one(n):
            nonlocal number
            while True:
                number += 1
                await count(backend, f"s-{os.getpid()}-{number}", "all", f"k-{number % 7}")
        await asyncio.gather(*map(one, range(16)))

asyncio.run(main())
"""


async def test_a_kill_leaves_event_and_value_or_neither(url: str) -> None:
    async with opened(url, Counts()) as backend:
        for _ in range(4):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _KILLED, url, stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 60)
            before = await backend.view(Counts).get("all") or 0
            await _until(lambda: _has_grown(backend, before + 50))  # noqa: B023 - it ends here
            process.send_signal(signal.SIGKILL)
            await process.wait()
            assert await counts_of(backend) == await true_counts(backend)
        await count(backend, "after", "all")
        assert await counts_of(backend) == await true_counts(backend)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - another process's work has no event
            await asyncio.sleep(0.02)


async def _has_grown(backend: Backend, to: int) -> bool:
    return (await backend.view(Counts).get("all") or 0) >= to
