"""Transforming a store: what stands in the new one, whatever stopped it meanwhile."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from eventsourcing_core import Event, EventTypes, ExpectedVersion, open_backend
from eventsourcing_core.evolution import Transformed, transform
from eventsourcing_core.evolution._transforming import moving
from eventsourcing_core.stores import OutageError
from tests.every_store._accounts import Account, Deposited, store_old, types
from tests.every_store.transforming._moved import (
    HISTORY,
    ORIGINAL,
    expected,
    faults_of,
    history,
    stored,
)

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core.evolution import TransformProgress


@pytest.fixture
def target_url(store_url: str, tmp_path: Path) -> str:
    """Give the URL of another empty store of the same kind."""
    if store_url.startswith("memory"):
        return f"memory://{uuid4()}"
    if store_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'new.db'}"
    return f"{store_url}?schema=transformed&migrate=true"


class StoppedError(Exception):
    """The process is gone."""


async def transformed(source_url: str, target_url: str, **options: Any) -> Transformed:
    async with (
        open_backend(source_url, event_types=types) as source,
        open_backend(target_url, event_types=types, serializer="msgpack") as target,
    ):
        return await transform(source.event_store, target.event_store, **options)


def stops_after(number: int) -> Any:
    """Give an on_progress that ends the call when it is told for a number of times."""
    told = 0

    def tell(_: TransformProgress) -> None:
        nonlocal told
        told += 1
        if told > number:
            raise StoppedError

    return tell


async def test_a_store_holds_what_upcasters_make_of_another(
    store_url: str, target_url: str
) -> None:
    await store_old(store_url, "account-1", *history(0, 7))
    await store_old(store_url, "account-2", *history(1, 9))
    await store_old(store_url, "account-1", *history(0, 3))
    report = await transformed(store_url, target_url)
    assert await faults_of(store_url, target_url) == []
    assert (report.read, report.source_events) == (19, 19)
    assert report.written == report.target_events == 17
    assert report.lag == 0
    async with open_backend(target_url, event_types=types) as backend:
        events = [event async for event in backend.event_store.read("account-1")]
        assert [(event.event_type, event.version) for event in events[:6]] == [
            ("deposited.v2", 1),
            ("owner.named", 2),
            ("owner.moved", 3),
            ("deposited.v2", 4),
            ("owner.moved", 5),
            ("noted", 6),
        ]
        assert events[0].data == Deposited(300)
        assert [event.metadata.get(ORIGINAL) for event in events[:6]] == [
            None,
            None,
            2,
            *[None] * 3,
        ]
        derived = events[2].event_id
        assert isinstance(derived, UUID)
        assert derived.version == 5
        rows = [each.encoding async for page in _pages(backend) for each in page.rows]
        assert set(rows) == {"msgpack"}


def _pages(backend: Any) -> Any:
    from eventsourcing_core._encoding.all_streams import Reading  # noqa: PLC0415 - of this test only
    from eventsourcing_core.stores import RowQuery  # noqa: PLC0415 - as above

    return backend.event_store.pages(Reading(0, RowQuery()))


async def test_an_aggregate_is_what_it_was(store_url: str, target_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 5), *history(6, 6))
    await transformed(store_url, target_url)
    async with (
        open_backend(store_url, event_types=types) as source,
        open_backend(target_url, event_types=types) as target,
    ):
        was, now = [await each.repository(Account).get("1") for each in (source, target)]
        assert (was.cents, was.said, was.version) == (now.cents, now.said, 11)
        assert now.version == 10
        now.deposit(1)
        assert (await target.repository(Account).save(now)).version == 11


async def test_ids_times_and_metadata_are_kept(store_url: str, target_url: str) -> None:
    noted = Event("deposited", {"amount": 1}, metadata={"user": "Zoë", "n": 2})
    await store_old(store_url, "account-1", Event("looked_at", {}), noted)
    await transformed(store_url, target_url)
    async with open_backend(target_url, event_types=types) as backend:
        (event,) = [event async for event in backend.event_store.read("account-1")]
    assert (event.event_id, event.timestamp) == (noted.event_id, noted.timestamp)
    assert event.metadata == {"user": "Zoë", "n": 2, ORIGINAL: 2}


async def test_each_event_that_is_made_has_the_tags() -> None:
    source_url, target_url = f"memory://{uuid4()}", f"memory://{uuid4()}"
    split = Event("owner.changed", {"name": "a", "place": "b"}, tags={"owner:a", "bank:1"})
    await store_old(source_url, "account-1", split, Event("deposited", {"amount": 1}))
    await transformed(source_url, target_url)
    async with open_backend(target_url, event_types=types) as backend:
        found = [event.tags async for event in backend.event_store.read_all()]
    assert found == [split.tags, split.tags, frozenset()]


async def test_it_goes_on_wherever_it_was_stopped(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_MOST_EVENTS", 3)
    for number in range(4):
        await store_old(store_url, f"account-{number % 2}", *history(number, 7))
    stops = 0
    while True:  # each run gets further than the one before, by three parts at most
        try:
            await transformed(store_url, target_url, on_progress=stops_after(3))
        except StoppedError:
            stops += 1
            assert stops < 20
        else:
            break
    assert stops > 2
    assert await faults_of(store_url, target_url) == []


async def test_a_stop_in_the_middle_of_writing_doubles_and_loses_nothing(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_MOST_EVENTS", 2)
    await store_old(store_url, "account-1", *history(0, 21))
    for number in range(12):
        running = asyncio.create_task(transformed(store_url, target_url))
        for _ in range(number * 3):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
    await transformed(store_url, target_url)
    assert await faults_of(store_url, target_url) == []


async def test_what_was_moved_is_not_written_again(store_url: str, target_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 5))
    await transformed(store_url, target_url)
    await store_old(store_url, "account-1", *history(5, 5))
    report = await transformed(store_url, target_url)
    assert (report.read, report.written) == (5, 4)
    assert report.source_events == 10
    assert await faults_of(store_url, target_url) == []


async def test_streams_that_are_not_in_memory_any_more_are_looked_up(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_MOST_EVENTS", 2)
    monkeypatch.setattr(moving, "_MOST_STREAMS", 1)
    await store_old(store_url, "account-only-dropped", Event("looked_at", {}))
    for number in range(6):
        for stream in ("account-1", "account-2", "account-only-dropped"):
            dropped = stream == "account-only-dropped" and number < 5
            events = [Event("looked_at", {})] if dropped else history(number, 2)
            await store_old(store_url, stream, *events)
    await transformed(store_url, target_url)
    assert await faults_of(store_url, target_url) == []


async def test_two_at_once_write_what_one_would(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_MOST_EVENTS", 2)
    await store_old(store_url, "account-1", *history(0, 30))
    async with open_backend(target_url):
        pass  # so that only one of them migrates
    both = [transformed(store_url, target_url) for _ in range(2)]
    reports = await asyncio.gather(*both)
    assert sum(report.written for report in reports) == 27
    assert await faults_of(store_url, target_url) == []


async def test_one_that_is_overtaken_goes_on_behind_the_other(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks how far a stream is, and then the other one has written what it was about to."""
    await store_old(store_url, "account-1", *history(0, 3))
    await transformed(store_url, target_url)
    await store_old(store_url, "account-1", *history(3, 6))
    standing, is_overtaken = moving.Moving._standing, False

    async def overtaken(self: moving.Moving, row: Any) -> tuple[int, int]:
        nonlocal is_overtaken
        if not is_overtaken:
            is_overtaken = True
            await transformed(store_url, target_url)
            await store_old(store_url, "account-1", *history(9, 4))
        return await standing(self, row)

    monkeypatch.setattr(moving.Moving, "_standing", overtaken)
    report = await transformed(store_url, target_url)
    assert (report.lag, report.source_events) == (0, 13)
    assert await faults_of(store_url, target_url) == []


async def test_a_store_of_which_all_is_dropped_becomes_an_empty_one(
    store_url: str, target_url: str
) -> None:
    await store_old(store_url, "account-1", Event("looked_at", {}))
    report = await transformed(store_url, target_url)
    assert (report.source_events, report.target_events, report.lag) == (1, 0, 0)


async def test_it_follows_until_it_is_told_to_finish(store_url: str, target_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 7))
    finish, caught_up, more = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def tell(now: TransformProgress) -> None:
        if now.stage == "following" and not now.lag:
            (more if caught_up.is_set() and now.position > position else caught_up).set()

    position = sys.maxsize
    running = asyncio.create_task(
        transformed(store_url, target_url, finish=finish, on_progress=tell)
    )
    await caught_up.wait()
    position = await store_old(store_url, "account-1", *history(0, 1)) - 1
    await more.wait()
    assert not running.done()
    last = await store_old(store_url, "account-2", *history(0, 2))
    finish.set()
    report = await running
    assert (report.position, report.last_position) == (last, last)
    assert await faults_of(store_url, target_url) == []


async def test_a_transformed_store_can_be_transformed(store_url: str, target_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 14))
    await transformed(store_url, target_url)
    third = f"memory://{uuid4()}"
    await transformed(target_url, third)
    report = await transformed(target_url, third)
    assert report.written == 0
    async with (
        open_backend(target_url, event_types=types) as second,
        open_backend(third, event_types=types) as backend,
    ):
        found, before = await stored(backend.event_store), await expected(second.event_store)
    assert [each[:6] for each in found] == [each[:6] for each in before]
    for each in found:  # of the store that it was made of, and of no earlier one
        assert each.metadata.get(ORIGINAL, each.version) == each.version


async def test_values_that_equal_nothing_are_found_to_be_the_same(
    store_url: str, target_url: str
) -> None:
    await store_old(store_url, "note-1", Event("measured", {"value": float("nan")}))
    assert (await transformed(store_url, target_url)).target_events == 1


async def test_events_that_are_too_large_for_one_transaction_go_by_parts(
    store_url: str, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_MOST_BYTES", 30)
    await store_old(store_url, "account-1", *history(0, len(HISTORY)))
    parts: list[int] = []

    def tell(now: TransformProgress) -> None:
        if now.stage == "moving":
            parts.append(now.position)

    await transformed(
        store_url,
        target_url,
        on_progress=tell,
    )
    assert len(parts) > 2
    assert await faults_of(store_url, target_url) == []


async def test_a_registry_without_classes_copies(store_url: str, target_url: str) -> None:
    await store_old(store_url, "account-1", *history(0, 7))
    plain = EventTypes()
    async with (
        open_backend(store_url, event_types=plain) as source,
        open_backend(target_url, event_types=plain) as target,
    ):
        await transform(source.event_store, target.event_store)
        assert await stored(target.event_store) == await expected(source.event_store)
        await source.event_store.append(
            "account-1", history(0, 1), expected_version=ExpectedVersion.ANY
        )
        assert (await transform(source.event_store, target.event_store)).written == 1


async def test_one_that_follows_waits_until_an_outage_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source_url, target_url = f"memory://{uuid4()}", f"memory://{uuid4()}"
    await store_old(source_url, "account-1", *history(0, 7))
    finish, advance = asyncio.Event(), moving.Moving.advance
    outages = 2

    async def away(self: moving.Moving, on_position: Any) -> None:
        nonlocal outages
        outages -= 1
        if outages >= 0:
            message = "the server restarts"
            raise OutageError(message)
        finish.set()
        await advance(self, on_position)

    monkeypatch.setattr(moving.Moving, "advance", away)
    report = await transformed(source_url, target_url, finish=finish)
    assert (report.written, report.lag) == (6, 0)
    assert caplog.text.count("is waited for: the server restarts") == 2
    outages = 1
    with pytest.raises(OutageError):
        await transformed(source_url, target_url)
