"""Applying what was read ahead: events are decoded there, and what cannot be parks its key."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventTypes, Projection, RecordedEvent, View
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._projections._reading.reader import Reader
from eventsourcing_core._projections.definition import definition_of
from eventsourcing_core._projections.deliveries import Parking
from eventsourcing_core._projections.handlers import carefully, handler_of
from eventsourcing_core.stores import Progress, Row, new_segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

types = EventTypes()
codec = EventCodec(event_types=types)


class Batch:
    """Keeps what is written and parked."""

    connection = None

    def __init__(self) -> None:
        self.stored: dict[str, str | None] = {}
        self.parked: dict[str, Sequence[int]] = {}

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: value for key in keys if (value := self.stored.get(key)) is not None}

    async def put(self, values: Mapping[str, str | None]) -> None:
        self.stored.update(values)

    async def park(self, key: str, positions: Sequence[int], *_: object) -> None:
        self.parked[key] = positions

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        yield


class Numbers(View[list[int]]):
    """The numbers of each stream."""

    name = "numbers"

    def evolve(self, value: list[int] | None, event: RecordedEvent[Any]) -> list[int]:
        if event.data["number"] < 0:
            raise ValueError
        return [*(value or []), event.data["number"]]


class Listed(Projection[None]):
    """Lists what it is given at once."""

    name = "listed"

    def __init__(self) -> None:
        self.given: list[list[tuple[str, int]]] = []

    async def apply_many(
        self,
        events: Sequence[RecordedEvent[Any]],
        connection: None,  # noqa: ARG002 - there is none
    ) -> None:
        if any(event.data["number"] < 0 for event in events):
            raise ValueError
        self.given.append([(event.stream_id, event.data["number"]) for event in events])


def rows(*stored: tuple[str, int | None]) -> list[Row]:
    """Give rows of these streams, with these numbers; None: with bytes that nobody can read."""
    found = list[Row]()
    for at, (stream_id, number) in enumerate(stored, 1):
        row = Row(stream_id, at, at, *codec.encode(Event("numbered", {"number": number})))
        found.append(row._replace(data=b"damaged") if number is None else row)
    return found


def new_batch() -> Any:
    """Give as much of a batch as handlers use."""
    return Batch()


def deliveries_of(follower: Any, found: Sequence[Row]) -> Any:
    """Give the deliveries of rows to whoever follows all of it."""
    segments = new_segments(1, Progress(0, None))
    return Reader(definition_of(follower, types), codec, segments).deliveries(found)


def handler(follower: Any) -> Any:
    """Give what applies events."""
    return handler_of(definition_of(follower, types), codec)


STORED = rows(("a", 1), ("b", 2), ("a", None), ("b", 3), ("a", 4))


def test_what_is_read_ahead_is_not_decoded_yet() -> None:
    found = deliveries_of(Numbers(), STORED)
    assert [each.error for each in found] == [""] * 5
    assert [[*each.keys] for each in found] == [["a"], ["b"], ["a"], ["b"], ["a"]]


async def test_an_event_that_cannot_be_read_parks_its_key_in_a_view() -> None:
    batch, parking = new_batch(), Parking({}, 1.0)
    await handler(Numbers()).many(batch, deliveries_of(Numbers(), STORED), parking)
    await parking.park(batch)
    assert batch.stored == {"a": "[1]", "b": "[2,3]"}
    assert batch.parked == {"a": [3, 5]}


@pytest.mark.parametrize("known", [{}, {"c": 1}], ids=["nothing-parked", "another-parked"])
async def test_an_event_that_cannot_be_read_parks_its_key_and_the_rest_is_given_at_once(
    known: dict[str, int],
) -> None:
    projection, batch, parking = Listed(), new_batch(), Parking(known, 1.0)
    await handler(projection).many(batch, deliveries_of(projection, STORED), parking)
    await parking.park(batch)
    assert projection.given == [[("a", 1), ("b", 2), ("b", 3)]]
    assert batch.parked == {"a": [3, 5]}


async def test_one_by_one_what_comes_after_an_event_that_fails_waits_behind_it() -> None:
    projection, batch, parking = Listed(), new_batch(), Parking({}, 1.0)
    found = deliveries_of(projection, rows(("a", 1), ("a", -1), ("b", 2), ("a", 3), ("b", None)))
    await carefully(handler(projection), codec, batch, found, parking)
    await parking.park(batch)
    assert projection.given == [[("a", 1)], [("b", 2)]]
    assert batch.parked == {"a": [2, 4], "b": [5]}
