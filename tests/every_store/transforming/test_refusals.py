"""What a transformation refuses, and says where; and what its comparing finds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from eventsourcing_core import (
    Event,
    EventTypes,
    ExpectedVersion,
    RecordedEvent,
    StorageError,
    event,
    open_backend,
    upcaster,
)
from eventsourcing_core.evolution import TransformationError, transform
from eventsourcing_core.evolution._transforming.checking import Checking
from eventsourcing_core.evolution._transforming.moving import Moving
from eventsourcing_core.evolution._transforming.report import Transformed
from tests.every_store._accounts import store_old, types
from tests.every_store.transforming._moved import ORIGINAL, faults_of, history

if TYPE_CHECKING:
    from pathlib import Path


def memory() -> str:
    return f"memory://{uuid4()}"


async def transformed(source_url: str, target_url: str, registry: EventTypes = types) -> None:
    async with (
        open_backend(source_url, event_types=registry) as source,
        open_backend(target_url, event_types=registry) as target,
    ):
        await transform(source.event_store, target.event_store)


async def test_an_event_that_cannot_be_upcast_is_named_and_gone_on_with_once_that_is_mended(
    store_url: str,
) -> None:
    registry = EventTypes()
    target_url = memory()

    @event("tank.filled.v2", event_types=registry)
    class Filled:
        litres: int

    def litres(data: dict[str, Any]) -> dict[str, Any]:
        return {"litres": data["gallons"] * 4}

    upcaster("tank.filled", to="tank.filled.v2", event_types=registry)(litres)
    trees: list[dict[str, Any]] = [{"gallons": 1}, {"litres": 9}, {"gallons": 2}]
    stored = [Event("tank.filled", tree) for tree in trees]
    await store_old(store_url, "tank-1", *stored)
    place = r"version 2 of stream 'tank-1'.*upcast.* from 'tank.filled' to.*all before it is moved"
    for _ in range(2):
        with pytest.raises(TransformationError, match=place):
            await transformed(store_url, target_url, registry)
        async with open_backend(target_url, event_types=registry) as backend:
            assert [each.data async for each in backend.event_store.read_all()] == [Filled(4)]

    def mended(data: dict[str, Any]) -> dict[str, Any]:
        return {"litres": data.get("litres") or data["gallons"] * 4}

    mended.__qualname__ = litres.__qualname__  # as if the module were mended and run again
    upcaster("tank.filled", to="tank.filled.v2", event_types=registry)(mended)
    await transformed(store_url, target_url, registry)
    async with open_backend(target_url, event_types=registry) as backend:
        read = [each.data async for each in backend.event_store.read_all()]
        assert read == [Filled(4), Filled(9), Filled(8)]


async def test_an_event_that_the_target_cannot_store_is_named(store_url: str) -> None:
    await store_old(store_url, "note-1", Event("small", {}), Event("large", {"text": "a" * 500}))
    async with (
        open_backend(store_url, event_types=types) as source,
        open_backend(memory(), event_types=types, max_event_bytes=100) as target,
    ):
        with pytest.raises(TransformationError, match="version 2 of stream 'note-1'.*100"):
            await transform(source.event_store, target.event_store)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([("other-1", Event("noted", {}))], "nothing that is read at version 1"),
        ([("account-1", Event("noted", {}))], "another one is made"),
        ([("account-1", Event("deposited", {"amount": 1}))], "lead on from 'deposited'"),
        ([("account-1", Event("deposited.v2", {}))], "cents"),
    ],
    ids=["stream", "event", "old form", "unreadable"],
)
async def test_a_target_with_other_events_is_refused(
    events: list[tuple[str, Event[Any]]], said: str, store_url: str
) -> None:
    await store_old(store_url, "account-1", *history(0, 7))
    target_url = memory()
    for stream_id, other in events:
        await store_old(target_url, stream_id, other)
    with pytest.raises(TransformationError, match=f"the target ends with version 1.*{said}"):
        await transformed(store_url, target_url)


async def test_a_target_that_was_written_to_is_refused(store_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 7))
    target_url = memory()
    await transformed(store_url, target_url)
    await store_old(target_url, "account-1", Event("noted", {}))
    with pytest.raises(TransformationError, match="the target ends with version 7"):
        await transformed(store_url, target_url)


async def test_other_events_before_the_last_one_are_found_when_both_are_compared(
    store_url: str,
) -> None:
    await store_old(store_url, "account-1", *history(0, 4))
    target_url = memory()
    await store_old(target_url, "another-1", Event("noted", {}))
    async with (
        open_backend(store_url, event_types=types) as source,
        open_backend(target_url, event_types=types) as target,
    ):
        moving = Moving(source.event_store, target.event_store, Transformed())
        await moving._move(lambda _: None)
        with pytest.raises(TransformationError, match="the stream is another one"):
            await transform(source.event_store, target.event_store)


async def test_a_hole_in_the_source_is_no_reason_to_count_versions_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'holes.db'}"
    for version, missing in ((3, "version 3"), (1, "1")):
        await store_old(url, f"account-{version}", *history(0, 7))
        delete(tmp_path / "holes.db", f"version = {version}")
        with pytest.raises(StorageError, match=missing):
            await transformed(url, memory())
        delete(tmp_path / "holes.db", "true")


@pytest.mark.parametrize(
    ("event_type", "data"), [("deposited", {"amount": 3}), ("looked_at", {"by": "x"})]
)
async def test_a_hole_is_found_where_it_goes_on(
    event_type: str, data: dict[str, Any], tmp_path: Path
) -> None:
    """Also behind events of which nothing was kept: what the target has says nothing of them."""
    url, target_url = f"sqlite:///{tmp_path / 'holes.db'}", memory()
    await store_old(url, "account-1", Event(event_type, data))
    await store_old(url, "account-2", *history(0, 1))
    await transformed(url, target_url)
    await store_old(url, "account-1", *history(0, 2))
    delete(tmp_path / "holes.db", "stream_id = 'account-1' and version = 2")
    with pytest.raises(StorageError, match="version 2 of stream 'account-1' is missing"):
        await transformed(url, target_url)


def delete(path: Path, condition: str) -> None:
    """Delete events by hand."""
    with closing(sqlite3.connect(path)) as connection:
        for (trigger,) in connection.execute(
            "select name from sqlite_schema where type = 'trigger'"
        ).fetchall():
            connection.execute(f'drop trigger "{trigger}"')
        connection.execute(f"delete from events where {condition}")  # noqa: S608 - of this module
        connection.commit()


async def test_the_source_itself_is_no_target_nor_a_copy_of_it(store_url: str) -> None:
    """Read through upcasters they are equal; but without these, it could not be read."""
    events = (*history(0, 1), Event("deposited.v2", {"cents": 5}))
    await store_old(store_url, "account-1", *events)
    with pytest.raises(TransformationError, match="'deposited', .* another URL, a copy"):
        await transformed(store_url, store_url)


async def test_stores_that_cannot_be_the_two_are_refused() -> None:
    async with (
        open_backend(memory(), event_types=types) as one,
        open_backend(memory(), event_types=EventTypes()) as other,
    ):
        with pytest.raises(ValueError, match="are one store"):
            await transform(one.event_store, one.event_store)
        with pytest.raises(ValueError, match="two registries"):
            await transform(one.event_store, other.event_store)
        with pytest.raises(TypeError, match="the target is an event store"):
            await transform(one.event_store, other)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is refused


RIGHT: dict[str, Any] = {"stream_id": "account-1", "metadata": {"user": "Zoë", ORIGINAL: 2}}
WRONG: dict[str, dict[str, Any]] = {
    "the stream": {"stream_id": "account-2"},
    "the type": {"event_type": "owner.renamed"},
    "the id": {"event_id": uuid4()},
    "the time": {"timestamp": datetime(2026, 1, 1, tzinfo=UTC)},
    "the tags": {"tags": {"owner:z"}},
    "the original version": {"metadata": {"user": "Zoë"}},
    "the metadata": {"metadata": {"user": "Bob", ORIGINAL: 2}},
    "the payload": {"data": {"name": "z"}},
}


async def compared(source_url: str, target_url: str, position: int) -> Transformed:
    report = Transformed()
    async with (
        open_backend(source_url, event_types=types) as source,
        open_backend(target_url, event_types=types) as target,
    ):
        checking = Checking(source.event_store, target.event_store, report)
        await checking.advance(position, lambda _: None)
    return report


async def moved_wrongly(source_url: str, target_url: str, wrong: dict[str, Any]) -> None:
    """Write what upcasters make of the second event of a store, but for something wrong."""
    async with (
        open_backend(source_url, event_types=types) as source,
        open_backend(target_url, event_types=EventTypes()) as target,
    ):
        named, moved = [each async for each in source.event_store.read_all()]
        facts = {"timestamp": named.timestamp, "event_id": named.event_id, **RIGHT}
        first: dict[str, Any] = {"event_type": "owner.named", "data": {"name": "a"}} | facts | wrong
        second: dict[str, Any] = {"event_type": "owner.moved", "data": {"place": "b"}} | facts
        second["event_id"] = uuid4()
        is_alone = first["stream_id"] != second["stream_id"]
        events = [
            RecordedEvent(**first, version=1, position=1),
            RecordedEvent(**second, version=1 if is_alone else 2, position=2),
        ]
        await target.event_store.import_events(events)
        assert moved.version == 2


@pytest.mark.parametrize("what", WRONG)
async def test_whatever_differs_is_named(what: str) -> None:
    source_url, target_url = memory(), memory()
    changed = Event("owner.changed", {"name": "a", "place": "b"}, metadata={"user": "Zoë"})
    last = await store_old(source_url, "account-1", Event("looked_at", {}), changed)
    await moved_wrongly(source_url, target_url, {})
    report = await compared(source_url, target_url, last)
    assert (report.source_events, report.target_events) == (2, 2)

    target_url = memory()
    await moved_wrongly(source_url, target_url, WRONG[what])
    said = (
        rf"version 1 of stream 'account-[12]'.*made of version 2 of stream 'account-1'.*: {what} is"
    )
    with pytest.raises(TransformationError, match=said):
        await compared(source_url, target_url, last)


async def test_what_is_lacking_and_what_is_too_much_is_named() -> None:
    source_url, target_url = memory(), memory()
    last = await store_old(source_url, "account-1", *history(0, 4))
    await transformed(source_url, target_url)
    more = await store_old(source_url, "account-1", *history(3, 1))
    with pytest.raises(TransformationError, match="lacks what is made of version 5"):
        await compared(source_url, target_url, more)
    assert (await compared(source_url, target_url, last - 1)).source_events == 3  # others moved it
    await store_old(target_url, "account-1", Event("noted", {}))
    with pytest.raises(TransformationError, match="the target ends with version 5"):
        await compared(source_url, target_url, last)


class _ForgetsItsPlace(Moving):
    """Takes the position in the target for that in the source."""

    async def advance(self, on_position: Any) -> None:
        self.position = await self._target.last_position()
        self._streams.clear()
        self.position = await self._move(on_position)


class _CountsVersionsAsTheyWere(Moving):
    """Does not see that an event was dropped."""

    async def _standing(self, row: Any) -> tuple[int, int]:
        return row.version - 1, row.version - 1


@pytest.mark.parametrize("twin", [_ForgetsItsPlace, _CountsVersionsAsTheyWere])
async def test_a_broken_twin_is_found(twin: type[Moving]) -> None:
    source_url, target_url = memory(), memory()
    async with (
        open_backend(source_url, event_types=types) as source,
        open_backend(target_url, event_types=types) as target,
    ):

        async def move() -> int:
            moving = twin(source.event_store, target.event_store, Transformed())
            await moving.advance(lambda _: None)
            return moving.position

        async def fails() -> bool:
            position = 0
            for number in range(3):
                await source.event_store.append(
                    "account-1",
                    [Event("owner.changed", {"name": str(number), "place": "b"})],
                    expected_version=ExpectedVersion.ANY,
                )
                await store_old(source_url, "account-1", *history(number, 9))
                try:
                    position = await move()
                except Exception:  # noqa: BLE001 - the store has found it
                    return True
            with pytest.raises(TransformationError):
                await compared(source_url, target_url, position)
            return bool(await faults_of(source_url, target_url))

        assert await fails()
