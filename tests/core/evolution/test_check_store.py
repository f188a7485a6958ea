"""Checking a store with the code of today."""

from __future__ import annotations

import itertools
from dataclasses import make_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from eventsourcing_core import Event, EventTypes, open_backend
from eventsourcing_core.evolution import TypeCheck, check_store
from eventsourcing_core.stores import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import StorageEventStore

make: Any = make_dataclass
_names = itertools.count()


class Home(NamedTuple):
    street: str


def types_of(*fields: Any) -> EventTypes:
    """Give a registry of one event type."""
    event_types = EventTypes()
    event_types.register(make("Noted", fields, frozen=True), "noted")
    return event_types


@pytest.fixture
async def store() -> AsyncIterator[StorageEventStore]:
    """Open a store that is empty."""
    url = f"memory://check-{next(_names)}"
    async with open_backend(url, event_types=EventTypes()) as backend:
        yield backend.event_store


async def fill(store: StorageEventStore, *trees: dict[str, Any], stream: str = "a-1") -> None:
    """Append events of these trees."""
    await store.append(
        stream,
        [Event("noted", tree, metadata={"by": "Zoë"}) for tree in trees],
        expected_version=await store.stream_version(stream),
    )


async def checked(store: StorageEventStore, *fields: Any, **options: Any) -> TypeCheck:
    (found,) = await check_store(store, types_of(*fields), **options)
    return found


async def test_events_that_are_read_are_counted(store: StorageEventStore) -> None:
    await fill(store, {"a": 1}, {"a": 2})
    found = await checked(store, ("a", int))
    assert (found.decoded, found.failed, found.has_class) == (2, 0, True)
    assert found.first_failure is None


async def test_the_first_event_that_fails_is_named_with_its_field(store: StorageEventStore) -> None:
    await fill(store, {"a": 1, "b": "x"}, {"a": "no", "b": "x"}, {"a": "no", "b": "x"})
    found = await checked(store, ("b", str), ("a", int))
    assert (found.decoded, found.failed) == (1, 2)
    assert found.first_failure == Place("a-1", 2, 2)
    assert found.field == "Noted.a"
    assert found.reason == "Noted.a must be int, got str: 'no'"


async def test_a_missing_field_is_named(store: StorageEventStore) -> None:
    await fill(store, {})
    found = await checked(store, ("a", int))
    assert (found.field, found.reason) == ("Noted.a", "it is missing, and has no default")


async def test_unknown_fields_are_counted_by_event(store: StorageEventStore) -> None:
    home = {"street": "x", "old": 1}
    await fill(store, {"a": 1, "b": 2}, {"a": 1, "homes": [home, home]}, {"a": 1})
    found = await checked(store, ("a", int), ("homes", list[Home], ()))
    assert found.unknown_fields == {"Noted.b": 1, "Home.old": 1}


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        (Home, {"street": "x", "old": 1}),
        (Home | None, {"street": "x", "old": 1}),
        (Home | int, {"$type": "Home", "$value": {"street": "x", "old": 1}}),
        (dict[str, Home], {"x": {"street": "x", "old": 1}}),
        (dict[int, Home], [[1, {"street": "x", "old": 1}]]),
        (tuple[int, Home], [1, {"street": "x", "old": 1}]),
        (tuple[Home, ...], [{"street": "x", "old": 1}]),
        (frozenset[Home], [{"street": "x", "old": 1}]),
    ],
    ids=str,
)
async def test_an_unknown_field_is_found_wherever_it_is(
    hint: Any, tree: Any, store: StorageEventStore
) -> None:
    await fill(store, {"a": tree})
    assert (await checked(store, ("a", hint))).unknown_fields == {"Home.old": 1}


async def test_types_without_a_class_are_said_to_be_so(store: StorageEventStore) -> None:
    await fill(store, {"a": 1})
    (found,) = await check_store(store, EventTypes())
    assert (found.event_type, found.has_class, found.decoded) == ("noted", False, 1)


@pytest.mark.parametrize("sample", [1, 7, 64, 100, 999, 1000, 5000])
async def test_a_sample_has_so_many_events(sample: int, store: StorageEventStore) -> None:
    await fill(store, *({"a": n} for n in range(1000)))
    found = await checked(store, ("a", int), sample=sample)
    assert found.decoded == min(sample, 1000)


async def test_a_sample_is_from_all_over_the_store(store: StorageEventStore) -> None:
    await fill(store, *({"a": 1} for _ in range(900)))
    await fill(store, *({"a": "no"} for _ in range(100)))
    found = await checked(store, ("a", int), sample=100)
    assert found.failed == pytest.approx(10, abs=3)


async def test_progress_is_told(store: StorageEventStore) -> None:
    await fill(store, {"a": 1}, {"a": 2})
    told: list[int] = []
    await checked(store, ("a", int), on_position=told.append)
    assert told[-1] == 2


async def test_a_strict_registry_reads_no_type_without_a_class(store: StorageEventStore) -> None:
    await fill(store, {"a": 1})
    (found,) = await check_store(store, EventTypes(strict=True))
    assert (found.decoded, found.failed) == (0, 1)
    assert "strict" in found.reason
