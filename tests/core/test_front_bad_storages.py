"""A storage that breaks the rules is named, and nobody reads something wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from eventsourcing_core import ExpectedVersion, StorageError, StorageEventStore
from eventsourcing_core.stores import RowPage, Span
from eventsourcing_core.testing._samples import collected, counted, numbers_of
from tests.contracts._broken import BrokenStorage, changed_pages, changed_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Row, RowQuery, Verdict
    from tests.contracts._broken import Pages, Rows

ANY = ExpectedVersion.ANY


class Bad(BrokenStorage):
    """A storage that an author has not tested yet."""


class TooFewVerdicts(Bad):
    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return (await super().write(appends))[:-1]


class TooManyVerdicts(Bad):
    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return [*await super().write(appends)] * 2


class NoVerdicts(Bad):
    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        nothing: Any = await super().write(appends) and None
        return cast("Sequence[Verdict]", nothing)


class Changes(Bad):
    """Gives the rows that a test makes of them."""

    def change(self, rows: list[Row]) -> list[Row]:
        return rows

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(super().rows(stream_id, span), self.change)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        return changed_pages(pages, self.change)


class Swapped(Changes):
    def change(self, rows: list[Row]) -> list[Row]:
        return [*rows[:-2], *rows[:-3:-1]]


class Doubled(Changes):
    def change(self, rows: list[Row]) -> list[Row]:
        return [*rows, *rows[-1:]]


class PageByPage(Bad):
    """Gives pages in the wrong order, or a row on two of them; each is right by itself."""

    async def rows(self, stream_id: str, span: Span) -> Rows:
        rows = [row async for page in super().rows(stream_id, span) for row in page]
        yield rows[:3]
        yield rows[2:]

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        rows = [row async for page in pages for row in page.rows]
        yield RowPage(rows[2:], 4)
        yield RowPage(rows[:2], 4)


class SeenToGoesBack(Bad):
    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page
            yield RowPage([], page.seen_to - 1)


class SeenToBelowWhereItBegan(Bad):
    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, _ in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield RowPage(rows, len(self.log.rows) - 1)


class RowsBeyondSeenTo(Bad):
    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, _ in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield RowPage(rows, rows[0].position)


class NoPage(Bad):
    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            if page.rows:
                yield page


async def filled(storage: type[Bad]) -> StorageEventStore:
    """Open a store with four events."""
    store = StorageEventStore(storage.parts())
    for number in range(4):
        await store.append("doc-1", counted(number), expected_version=number)
    return store


@pytest.mark.parametrize("storage", [TooFewVerdicts, TooManyVerdicts])
@pytest.mark.parametrize("count", [1, 5])
async def test_another_number_of_verdicts_is_an_error_that_names_the_storage(
    storage: type[Bad], count: int
) -> None:
    async with StorageEventStore(storage.parts()) as store:
        appends = [store.append("doc-1", counted(n), expected_version=ANY) for n in range(count)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StorageError}
        for outcome in outcomes:
            assert storage.__name__ in str(outcome)
            assert "verdicts for 1 append" in str(outcome)


@pytest.mark.parametrize("count", [1, 5])
async def test_no_verdicts_at_all_are_an_error_that_names_the_storage(count: int) -> None:
    async with StorageEventStore(NoVerdicts.parts()) as store:
        appends = [store.append("doc-1", counted(n), expected_version=ANY) for n in range(count)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StorageError}
        assert {str(outcome).partition(",")[0] for outcome in outcomes} == {
            "NoVerdicts gave None in place of 1 verdicts"
        }


@pytest.mark.parametrize("storage", [Swapped, Doubled, PageByPage])
@pytest.mark.parametrize("backward", [False, True])
async def test_rows_out_of_order_are_an_error_that_names_the_storage(
    storage: type[Bad], *, backward: bool
) -> None:
    async with await filled(storage) as store:
        with pytest.raises(StorageError, match=storage.__name__):
            await collected(store.read("doc-1", backward=backward))
        with pytest.raises(StorageError, match=storage.__name__):
            await collected(store.read_all(backward=backward))


@pytest.mark.parametrize("storage", [Swapped, Doubled, PageByPage])
async def test_rows_out_of_order_reach_neither_pages_nor_followers(storage: type[Bad]) -> None:
    async with await filled(storage) as store:
        with pytest.raises(StorageError, match="out of order|fault of the storage"):
            [event async for page in store.read_pages("doc-1") for event in page]
        with pytest.raises(StorageError, match="out of order|fault of the storage"):
            async for _ in store.follow():
                pass


@pytest.mark.parametrize(
    ("storage", "after"),
    [(SeenToGoesBack, 0), (SeenToBelowWhereItBegan, 4), (RowsBeyondSeenTo, 0)],
)
async def test_a_seen_to_that_cannot_be_is_an_error_that_names_the_storage(
    storage: type[Bad], after: int
) -> None:
    async with await filled(storage) as store:
        with pytest.raises(StorageError, match=f"{storage.__name__}.*fault of the storage"):
            await collected(store.read_all(after_position=after))
        with pytest.raises(StorageError, match=f"{storage.__name__}.*fault of the storage"):
            async for _ in store.follow(after):
                pass


async def test_no_page_at_all_is_an_error_that_names_the_storage() -> None:
    async with StorageEventStore(NoPage.parts()) as store:
        with pytest.raises(StorageError, match="NoPage"):
            await store.last_position()
        await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(StorageError, match="NoPage"):
            async for _ in store.follow(1):
                pass


@pytest.mark.parametrize("storage", [Swapped, SeenToGoesBack])
async def test_a_store_works_on_after_the_faults_of_its_storage(storage: type[Bad]) -> None:
    async with await filled(storage) as store:
        with pytest.raises(StorageError):
            await collected(store.read_all())
        assert (await store.append("doc-2", counted(9), expected_version=0)).version == 1
        assert numbers_of(await collected(store.read("doc-2"))) == [9]
