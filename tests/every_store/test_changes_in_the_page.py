"""The table of changes in the page, on every store: streams, snapshots, views, parked events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from eventsourcing_core import (
    Aggregate,
    Event,
    EventTypes,
    ExpectedVersion,
    OnDemand,
    SerializationError,
    View,
    open_backend,
)
from eventsourcing_core.evolution import transform
from tests.core.test_changes_in_the_page import (
    CHANGES,
    NO_CLASS,
    Change,
    Fields,
    Program,
    fields_of,
    program,
)
from tests.core.test_upcasters import SERIALIZERS
from tests.every_store.projections._shop import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core import RecordedEvent

TIMES = 3
"""How many events of each change are stored."""
NUMBERS = {name: f"c{number}" for number, name in enumerate(CHANGES)}
Said = list[tuple[str, Fields]]


def prefixed(number: str, upcasters: dict[str, tuple[Any, Callable[[Fields], Any]]]) -> Any:
    """Give upcasters that have names of one change only."""

    def with_names(function: Callable[[Fields], Any], *, is_split: bool) -> Callable[[Fields], Any]:
        if not is_split:
            return function
        return lambda data: [(f"{number}.{name}", each) for name, each in function(data)]

    return {
        f"{number}.{source}": (
            f"{number}.{to}" if isinstance(to, str) else tuple(f"{number}.{each}" for each in to),
            with_names(function, is_split=not isinstance(to, str)),
        )
        for source, (to, function) in upcasters.items()
    }


def programs() -> tuple[EventTypes, EventTypes]:
    """Give the registries of an older program and of a newer one, with all changes in them."""
    before: Program = {}
    after: Program = {}
    upcasters: dict[str, Any] = {}
    for name, change in CHANGES.items():
        number = NUMBERS[name]
        before |= {f"{number}.{each}": fields for each, fields in change.before.items()}
        after |= {f"{number}.{each}": fields for each, fields in change.after.items()}
        upcasters |= prefixed(number, change.upcasters)
    return program(before, {}), program(after, upcasters)


def first_of(types: EventTypes, number: str) -> Any:
    """Give the first class of a change."""
    return next(cls for name, cls in types.classes.items() if name.startswith(f"{number}."))


def counting(types: EventTypes, number: str) -> type[Any]:
    """Give a class of aggregates that count their events: the same in both programs."""

    class Counting(Aggregate):
        category = f"page_{number}"
        event_types = types
        count: int = 0

        def apply(self, event: Event[Any]) -> None:  # noqa: ARG002 - it only counts
            self.count += 1

    return Counting


class Listing(View[list[str]]):
    """What happened in each stream; at first it cannot tell."""

    is_broken = True

    def evolve(self, value: list[str] | None, event: RecordedEvent[Any]) -> list[str]:
        if self.is_broken:
            message = "it cannot tell"
            raise LookupError(message)
        return [*(value or ()), told((event.event_type, fields_of(event.data)))]


def listing(types: EventTypes, number: str) -> Listing:
    """Give a view of the events of one change."""
    wanted = tuple(each for each in types.classes if each.startswith(f"{number}."))
    cls = type("Listed", (Listing,), {"name": f"page-{number}", "event_types": wanted})
    view: Listing = cls()
    return view


def told(event: tuple[str, Fields]) -> str:
    name, fields = event
    return f"{name.partition('.')[2] if name.startswith('c') else name}: {sorted(fields.items())}"


def expected(change: Change) -> Said:
    assert not isinstance(change.read, str)
    return change.read * TIMES


READABLE = {name: each for name, each in CHANGES.items() if not isinstance(each.read, str)}


@pytest.fixture(params=SERIALIZERS)
def serializer(request: pytest.FixtureRequest) -> Any:
    return SERIALIZERS[request.param]


async def store_all(url: str, serializer: Any, older: EventTypes) -> int:
    """Store old events of each change, and snapshots of what they make; give the last position."""
    last = 0
    async with open_backend(url, event_types=older, serializer=serializer) as backend:
        for name, change in CHANGES.items():
            number = NUMBERS[name]
            payloads = [first_of(older, number)(**change.old) for _ in range(TIMES)]
            result = await backend.event_store.append(
                f"page_{number}-1", payloads, expected_version=0
            )
            last = result.position
            counted = backend.repository(counting(older, number), snapshot_frequency=OnDemand())
            await counted.take_snapshot(await counted.get("1"))
    return last


async def test_streams_and_snapshots_are_read_by_the_newer_program(
    store_url: str, serializer: Any
) -> None:
    older, newer = programs()
    await store_all(store_url, serializer, older)
    async with open_backend(store_url, event_types=newer, serializer=serializer) as backend:
        for name, change in CHANGES.items():
            stream_id = f"page_{NUMBERS[name]}-1"
            if isinstance(change.read, str):
                with pytest.raises(SerializationError, match="was stored as 'str'"):
                    [event async for event in backend.event_store.read(stream_id)]
                continue
            events = [event async for event in backend.event_store.read(stream_id)]
            found = [told((event.event_type, fields_of(event.data))) for event in events]
            assert found == [told(each) for each in expected(change)], name
            cls = counting(newer, NUMBERS[name])
            counted = await backend.repository(cls, snapshot_frequency=OnDemand()).get("1")
            assert (counted.count, counted.version) == (len(found), TIMES), name


async def test_views_and_parked_events_are_read_by_the_newer_program(
    store_url: str, serializer: Any
) -> None:
    older, newer = programs()
    last = await store_all(store_url, serializer, older)
    views = {name: listing(newer, NUMBERS[name]) for name in READABLE}
    async with (
        open_backend(store_url, event_types=newer, serializer=serializer) as backend,
        backend.projector([*views.values()], attempts=1) as projector,
    ):
        for name, view in views.items():
            if expected(READABLE[name]):

                async def is_parked(view: Listing = view) -> bool:
                    return bool(await projector.parked(view))

                await until(is_parked)
            view.is_broken = False
            await projector.retry(view)
        for name, view in views.items():

            async def is_mended(view: Listing = view) -> bool:
                return not await projector.parked(view)

            await until(is_mended)
            await projector.wait_for(last, view, timeout=DEADLINE)
            wanted = [told(each) for each in expected(READABLE[name])]
            found = await backend.view(type(view)).get(f"page_{NUMBERS[name]}-1")
            assert (found or []) == wanted, name


async def test_the_older_program_reads_what_the_newer_one_stores(
    store_url: str, serializer: Any
) -> None:
    older, newer = programs()
    async with (
        open_backend(store_url, event_types=newer, serializer=serializer) as new,
        open_backend(store_url, event_types=older, serializer=serializer) as old,
    ):
        for name, change in CHANGES.items():
            if change.new is None:
                continue
            stream_id = f"page_{NUMBERS[name]}-2"
            payload = first_of(newer, NUMBERS[name])(**change.new)
            await new.event_store.append(
                stream_id, [payload], expected_version=ExpectedVersion.NO_STREAM
            )
            if isinstance(change.by_older, str) and change.by_older != NO_CLASS:
                with pytest.raises(SerializationError):
                    [event async for event in old.event_store.read(stream_id)]
                continue
            (event,) = [event async for event in old.event_store.read(stream_id)]
            if change.by_older == NO_CLASS:
                assert event.data == change.new
            else:
                assert fields_of(event.data) == change.by_older


async def test_a_transformed_store_needs_no_upcasters(store_url: str, serializer: Any) -> None:
    older, newer = programs()
    target_url = f"memory://{uuid4()}"
    async with open_backend(store_url, event_types=older, serializer=serializer) as backend:
        for name, change in READABLE.items():
            payload = first_of(older, NUMBERS[name])(**change.old)
            await backend.event_store.append(
                f"page_{NUMBERS[name]}-1", [payload] * TIMES, expected_version=0
            )
    async with (
        open_backend(store_url, event_types=newer) as source,
        open_backend(target_url, event_types=newer, serializer=serializer) as target,
    ):
        await transform(source.event_store, target.event_store)
    without = EventTypes(strict=True)
    for name, cls in newer.classes.items():
        without.register(cls, name)
    async with open_backend(target_url, event_types=without) as backend:
        for name, change in READABLE.items():
            events = backend.event_store.read(f"page_{NUMBERS[name]}-1")
            found = [told((event.event_type, fields_of(event.data))) async for event in events]
            assert found == [told(each) for each in expected(change)], name
