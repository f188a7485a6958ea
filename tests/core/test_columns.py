"""Columns are a sequence of rows, and are decoded as rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, EventCodec, StorageError, StorageEventStore
from eventsourcing_core.stores import Columns, Parts, Row, RowPage
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import RowQuery, Span

CODEC = EventCodec()
ROWS = [
    Row(f"s-{number % 2}", number, 10 * number, *CODEC.encode(Event("Opened", {"n": number})))
    for number in range(1, 6)
]
COLUMNS = Columns(*zip(*ROWS, strict=True))


def test_columns_are_the_rows() -> None:
    assert len(COLUMNS) == len(ROWS)
    assert [*COLUMNS] == ROWS
    assert [type(row) for row in COLUMNS] == [Row] * len(ROWS)
    assert [*COLUMNS.values()] == ROWS


@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_row_is_found_by_its_place(place: int) -> None:
    assert COLUMNS[place] == ROWS[place]
    assert COLUMNS[place].event_id == ROWS[place].event_id


def test_a_part_is_columns_again() -> None:
    part = COLUMNS[1:3]
    assert isinstance(part, Columns)
    assert [*part] == ROWS[1:3]
    assert (part.versions, part.positions) == ((2, 3), (20, 30))


def test_columns_of_different_lengths_are_no_rows() -> None:
    uneven = Columns(["a", "b"], *[[None]] * 8)
    values = uneven.values()
    next(values)
    with pytest.raises(ValueError, match="shorter|longer"):
        next(values)


def test_columns_are_decoded_as_rows_are() -> None:
    assert [*CODEC.decode(COLUMNS)] == [*CODEC.decode(ROWS)]


class ByColumn(Through):
    """Gives its rows by the column, with these versions and positions."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(InMemoryStorage())
        self.numbers = numbers

    def columns(self, rows: Sequence[Row]) -> Columns:
        changed = [
            row._replace(version=number, position=number)
            for number, row in zip(self.numbers, rows, strict=True)
        ]
        return Columns(*zip(*changed, strict=True))

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        async for rows in super().rows(stream_id, span):
            yield self.columns(rows)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Read all streams."""
        async for rows, _ in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield RowPage(self.columns(rows), 9)


async def store_of(*numbers: int) -> StorageEventStore:
    store = StorageEventStore(Parts(ByColumn(*numbers)))
    await store.append("s", [Event("Opened", {}) for _ in numbers], expected_version=0)
    return store


async def test_holes_are_found_between_columns() -> None:
    events = (await store_of(1, 2, 4)).read("s")
    assert [(await anext(events)).version, (await anext(events)).version] == [1, 2]
    with pytest.raises(StorageError, match="version 3"):
        await anext(events)


@pytest.mark.parametrize("numbers", [(1, 3, 2), (1, 1)], ids=str)
async def test_columns_out_of_order_are_a_fault_of_the_storage(numbers: tuple[int, ...]) -> None:
    store = await store_of(*numbers)
    with pytest.raises(StorageError, match="out of order"):
        await anext(store.read("s"))
    with pytest.raises(StorageError, match="out of order"):
        await anext(store.read_all())
