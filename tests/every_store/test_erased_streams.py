"""Events that were deleted by hand: whoever needs them is told, and not sent to load again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Event,
    EventTypes,
    OnDemand,
    StorageError,
    event,
    fold,
    open_backend,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from eventsourcing_core import Backend, Repository

types = EventTypes()


@event(event_types=types)
class Moved:
    """Somebody has moved."""

    to: str


class Person(Aggregate):
    """Lives somewhere."""

    event_types = types
    towns: tuple[str, ...] = ()

    def move(self, to: str) -> None:
        """Move."""
        self._record(Moved(to))

    def apply(self, event: Event[Moved]) -> None:
        """Change the state."""
        self.towns = (*self.towns, event.data.to)


def move_about(person: Person) -> None:
    """Move to five towns."""
    for number in range(1, 6):
        person.move(str(number))


@pytest.fixture(params=["sqlite", "postgresql"])
def kept_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a store that keeps the versions of streams beside the events."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'events.db'}"
    url: str = request.getfixturevalue("url")
    return url


@pytest.fixture
async def backend(kept_url: str) -> AsyncIterator[Backend]:
    """Open it, with a stream of five events and one beside it."""
    async with open_backend(kept_url, migrate=True, event_types=types) as opened:
        people = opened.repository(Person)
        for id_ in ("7", "70"):
            await people.update(id_, move_about)
        yield opened


@pytest.fixture
def people(backend: Backend) -> Repository[Person]:
    """Give the repository, without snapshots."""
    return backend.repository(Person, snapshot_frequency=None)


async def erase(url: str, *versions: int) -> None:
    """Delete events of the first stream."""
    where = f"where stream_id = 'Person-7' and version in ({', '.join(map(str, versions))})"
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute("drop trigger events_are_not_deleted")
            file.execute(f"delete from events {where}")  # noqa: S608 - numbers of this file
        return
    connection = await asyncpg.connect(url)
    await connection.execute("set eventsourcing.allow_change = 'on'")
    await connection.execute(f"delete from eventsourcing.events {where}")  # noqa: S608 - as above
    await connection.close()


ALL = (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("gone", "first"), [(ALL, 1), ((1,), 1), ((1, 2, 3, 4), 1), ((3,), 3), ((2, 3, 5), 2)]
)
async def test_loading_says_which_event_is_missing(
    kept_url: str, people: Repository[Person], gone: tuple[int, ...], first: int
) -> None:
    await erase(kept_url, *gone)
    missing = f"stream 'Person-7' has no version {first}: events are missing.*backup"
    with pytest.raises(StorageError, match=missing):
        await people.load("7")
    with pytest.raises(StorageError, match=missing):
        await people.get("7")
    with pytest.raises(StorageError, match=missing):
        await people.update("7", lambda person: person.move("York"))
    with pytest.raises(StorageError, match=missing):
        await people.update("7", lambda person: person.move("York"), command_id="move-1")
    assert (await people.load("70")).version == 5


async def test_nobody_is_told_that_what_was_erased_never_was(
    kept_url: str, people: Repository[Person], backend: Backend
) -> None:
    await erase(kept_url, *ALL)
    with pytest.raises(StorageError, match="no version 1"):
        await people.exists("7")
    with pytest.raises(StorageError, match="no version 1"):
        await backend.event_store.stream_version("Person-7")
    with pytest.raises(StorageError, match="no version 1"):
        await fold(backend.event_store.read_pages("Person-7"), lambda n, _: n + 1, 0)
    assert not await people.exists("8")
    assert await people.exists("70")


@pytest.mark.parametrize("snapshots", [False, True])
async def test_where_the_last_events_are_gone_saving_says_so(
    kept_url: str, backend: Backend, *, snapshots: bool
) -> None:
    people = backend.repository(Person, snapshot_frequency=OnDemand() if snapshots else None)
    if snapshots:
        await people.take_snapshot(await people.load("7"))
    await erase(kept_url, 4, 5)

    def move(person: Person) -> None:
        person.move("York")

    with pytest.raises(StorageError, match="'Person-7' has no version 4: events are missing"):
        await people.update("7", move)
    with pytest.raises(StorageError, match="no version 4"):
        await people.update("7", move, command_id="move-1", attempts=1)
    person = await people.load("7")
    move(person)
    for _ in range(2):
        with pytest.raises(StorageError, match="no version 4"):
            await people.save(person)
        assert person.version == 4
    with pytest.raises(StorageError, match="no version 4"):
        async with backend.transaction() as transaction:
            await people.save(person, transaction=transaction)


async def test_in_a_transaction_loading_says_so_too(
    kept_url: str, people: Repository[Person], backend: Backend
) -> None:
    await erase(kept_url, *ALL)
    async with backend.transaction() as transaction:
        for question in (people.load, people.get, people.exists):
            with pytest.raises(StorageError, match="no version 1"):
                await question("7", transaction=transaction)
        assert (await people.load("8", transaction=transaction)).version == 0


@pytest.mark.parametrize(
    ("bounds", "expected", "is_told"),
    [
        ({}, [1, 2], True),
        ({"to_version": 2}, [1, 2], False),
        ({"limit": 2}, [1, 2], False),
        ({"from_version": 2}, [2], True),
        ({"from_version": 3}, [], True),
        ({"from_version": 5}, [5], False),
        ({"backward": True}, [5, 2, 1], False),
    ],
)
async def test_reading_forward_gives_what_is_there_and_says_where_one_is_missing(
    kept_url: str, backend: Backend, bounds: dict[str, Any], expected: list[int], *, is_told: bool
) -> None:
    await erase(kept_url, 3, 4)
    found: list[int] = []
    said = ""
    try:
        async for each in backend.event_store.read("Person-7", **bounds):
            found.append(each.version)  # noqa: PERF401 - what came before the error counts
    except StorageError as error:
        said = str(error)
    assert found == expected
    assert ("has no version 3: events are missing" in said) is is_told


async def test_a_conflict_of_those_who_are_there_stays_a_conflict(
    people: Repository[Person],
) -> None:
    one, other = await people.load("7"), await people.load("7")
    one.move("York")
    other.move("Bath")
    await people.save(one)
    with pytest.raises(ConcurrencyError):
        await people.save(other)
