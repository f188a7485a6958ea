"""Groups in several streams of a file: whole for every reader, and after every kill."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import Event, ExpectedVersion, ToStream
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from tests.eventsourcing_sqlite.test_processes import started

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core import RecordedEvent

STREAMS = ("a", "b", "c")
EACH = 23  # events of a group in each of its streams: pages end within groups
GROUPS = 60
DEADLINE = 60.0  # seconds until something counts as never happening


def group(number: int, each: int = EACH) -> list[ToStream]:
    return [
        ToStream(
            stream_id,
            [Event[object]("Grouped", {"n": number}) for _ in range(each)],
            expected_version=ExpectedVersion.ANY,
        )
        for stream_id in STREAMS
    ]


class Seen:
    """What a reader has seen of each group."""

    def __init__(self) -> None:
        self._events: Counter[int] = Counter()

    def add(self, event: RecordedEvent[Any]) -> None:
        self._events[event.data["n"]] += 1

    @property
    def halves(self) -> list[int]:
        """The groups of which some events are seen, and others are not."""
        return [number for number, n in self._events.items() if n != EACH * len(STREAMS)]


async def test_who_follows_has_seen_whole_groups_wherever_he_has_caught_up(path: Path) -> None:
    seen, caught_up = Seen(), 0

    async def write(store: SqliteEventStore) -> None:
        for number in range(GROUPS):
            await store.append_together(group(number))

    async with SqliteDatabase.open(path) as one, SqliteDatabase.open(path) as other:
        store = SqliteEventStore(other)
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(write(SqliteEventStore(one)))
            async for page in store.follow():
                is_over = writing.done()
                for event in page.events:
                    seen.add(event)
                if page.seen_to == await store.last_position():
                    caught_up += 1
                    assert seen.halves == []
                    if is_over:
                        break
    assert caught_up > 1


async def test_after_a_kill_each_group_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    done: set[str] = set()
    for name, acknowledged in (("1", 3), ("2", 40)):
        with started("groups", path, name) as process:
            for _ in range(acknowledged):
                done.add(process.hear()[1])
            process.popen.kill()
            while said := process.hear():
                done.add(said[1])
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        there = Counter([event.data["group"] async for event in store.read_all()])
    assert done <= there.keys()
    assert {*there.values()} == {6}


async def test_a_group_whose_answer_was_lost_gives_its_first_result(path: Path) -> None:
    writes = [
        ToStream(
            stream_id,
            [Event[object]("Grouped", {}, event_id=UUID(int=n), tags={"t"})],
            expected_version=ExpectedVersion.ANY,
        )
        for n, stream_id in enumerate(("b", "a"), start=1)
    ]
    async with SqliteDatabase.open(path) as one, SqliteDatabase.open(path) as other:
        first = await SqliteEventStore(one).append_together(writes)
        store = SqliteEventStore(other)
        assert await store.append_together(writes) == first
        assert len([event async for event in store.read_all()]) == 2
