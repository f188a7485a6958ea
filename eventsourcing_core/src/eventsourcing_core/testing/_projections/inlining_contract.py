"""The contract of ``Inlining``: appends themselves apply their events to builds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core._errors import (
    ConcurrencyError,
    InlineError,
    InlineMismatchError,
    ProjectionError,
)
from eventsourcing_core.stores._append import Written
from eventsourcing_core.stores._event_store import Checkpoint
from eventsourcing_core.testing._contract import Chapter, NewLocation
from eventsourcing_core.testing._projections.inlining import (
    BAD,
    OTHERS,
    TOTAL,
    Counting,
    counting,
    counts,
    inline_of,
    make_inline,
    projections_of,
    register,
    write,
    write_all,
    write_at_last,
)
from eventsourcing_core.testing._projections.samples import ORDERS, park, take
from eventsourcing_core.testing._skipping import skip_unless_met
from eventsourcing_core.testing._storage.samples import (
    append_to,
    encoded,
    pages_of,
    rows_of,
    storage_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._inline import InlineBatch
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts

BRIEFLY = 0.1
"""Seconds that what must wait is given to go on wrongly."""


class Blocked(Counting):
    """Counts when it may."""

    def __init__(self, *builds: Build) -> None:
        super().__init__(*builds)
        self.has_begun = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def apply(
        self,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: Callable[[Build], AbstractAsyncContextManager[InlineBatch]],
    ) -> None:
        """Wait, and count."""
        self.has_begun.set()
        await self.may_go_on.wait()
        await super().apply(builds, rows, batch_of)


class KeepsNothing(Counting):
    """Asks for keys that it leaves as they are, and takes away those that it has counted."""

    async def count(self, batch: InlineBatch, rows: Sequence[Row]) -> None:
        """Take values away, those that are there and those that are not."""
        await batch.values(sorted({"new", "left", *(row.stream_id for row in rows)}))
        await batch.put({"new": None, **{row.stream_id: None for row in rows}})


class InliningContract(Chapter):
    """Every rule of ``Inlining``, one test each; inherit and override ``new_location``.

    The fixture is that of ``EventStoreContract``. The tests use ``Parts.inline``, with the storage
    and the projection store of the same ``Parts``, without the core's views and projections.
    """

    async def test_what_is_written_is_applied_in_the_same_write(self, parts: Parts) -> None:
        handlers = await counting(parts, ORDERS)
        assert await write(parts, "a", "b", "a") is None
        assert await counts(parts) == {"a": 2, "b": 1, TOTAL: 3}
        found = [row for page in await pages_of(storage_of(parts)) for row in page.rows]
        seen = handlers.seen[ORDERS]
        assert [tuple(row) for row in seen] == [tuple(row) for row in found]

    async def test_several_events_of_an_append_come_in_their_order(self, parts: Parts) -> None:
        handlers = await counting(parts, ORDERS)
        append = append_to("a", *(encoded(number) for number in range(5)))
        assert await write_all(parts, [append, append_to("b", encoded(7))]) is None
        of_one = [row for row in handlers.seen[ORDERS] if row.stream_id == "a"]
        assert [row.version for row in of_one] == [1, 2, 3, 4, 5]
        assert await counts(parts) == {"a": 5, "b": 1, TOTAL: 6}

    async def test_an_error_takes_back_what_was_written_with_it(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        assert await write(parts, "a") is None
        assert isinstance(await write(parts, "a", "b", event_type=BAD), InlineError)
        assert await rows_of(storage_of(parts), "b") == []
        assert await counts(parts) == {"a": 1, TOTAL: 1}
        assert await write(parts, "b") is None
        assert await counts(parts) == {"a": 1, "b": 1, TOTAL: 2}

    async def test_what_is_not_written_is_not_applied(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        first, other = append_to("a", encoded(1)), append_to("b", encoded(2))
        assert await write_all(parts, [first]) is None
        verdicts = await storage_of(parts).write(
            [append_to("c", encoded(3), expected=5), first, other]
        )
        assert [type(verdict) for verdict in verdicts] == [ConcurrencyError, Written, Written]
        assert await counts(parts) == {"a": 1, "b": 1, TOTAL: 2}

    async def test_a_value_that_is_taken_away_is_not_there(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        assert await write(parts, "a", "b") is None
        inline_of(parts).install(KeepsNothing(ORDERS))
        assert await write(parts, "a", "c") is None
        assert await counts(parts) == {"b": 1, TOTAL: 2}

    async def test_each_build_has_values_of_its_own(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        assert await write(parts, "a") is None
        await register(parts, OTHERS)
        inline_of(parts).install(Counting(ORDERS, OTHERS))
        await make_inline(parts, OTHERS)
        assert await write(parts, "a") is None
        assert await counts(parts) == {"a": 2, TOTAL: 2}
        assert await counts(parts, OTHERS) == {"a": 1, TOTAL: 1}

    async def test_only_what_is_inline_is_applied(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        await register(parts, OTHERS)
        handlers = Counting(ORDERS, OTHERS)
        inline_of(parts).install(handlers)
        assert await write(parts, "a") is None
        assert await counts(parts) == {"a": 1, TOTAL: 1}
        assert handlers.seen[OTHERS] == []

    async def test_whoever_lacks_what_is_inline_may_not_append(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        inline_of(parts).install(Counting(OTHERS))
        error = await write(parts, "a")
        assert isinstance(error, InlineMismatchError)
        assert (error.wanted, error.given) == ("orders:1", "others:1")
        assert await rows_of(storage_of(parts), "a") == []

    async def test_what_follows_again_is_not_applied(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        assert await write(parts, "a") is None
        await make_inline(parts, to_inline=False)
        assert await write(parts, "a") is None
        assert await counts(parts) == {"a": 1, TOTAL: 1}
        (record,) = await projections_of(parts).builds()
        assert record.inline_from is None

    async def test_after_a_change_nobody_owns_segments_of_before(self, parts: Parts) -> None:
        projections = projections_of(parts)
        await register(parts)
        inline_of(parts).install(Counting(ORDERS))
        assert await write(parts, "a", "b") is None
        (last,) = await rows_of(storage_of(parts), "b")
        before = await take(projections)
        for to_inline in (True, False):
            await make_inline(parts, to_inline=to_inline)
            arrangement = await projections.arrangement(ORDERS)
            assert arrangement.owners == {}
            assert arrangement.record.inline_from == (last.position if to_inline else None)
            pairs = zip(before, arrangement.segments, strict=True)
            assert all(new.epoch > old.epoch for old, new in pairs)
            before = arrangement.segments

    async def test_what_follows_again_does_so_from_the_last_event(self, parts: Parts) -> None:
        await counting(parts, ORDERS)
        assert await write(parts, "a", "b") is None
        (last,) = await rows_of(storage_of(parts), "b")
        await make_inline(parts, to_inline=False)
        for segment in (await projections_of(parts).arrangement(ORDERS)).segments:
            checkpoint = segment.progress.checkpoint
            assert segment.progress.position == last.position
            assert checkpoint == Checkpoint(last.position, UUID(bytes=last.event_id))

    async def test_a_change_brings_up_what_is_missing(self, parts: Parts) -> None:
        await register(parts)
        handlers = Counting(ORDERS)
        inline_of(parts).install(handlers)
        assert await write(parts, "a", "b", "c") is None
        async with inline_of(parts).change(ORDERS, to_inline=True) as change:
            assert (change.record.inline_from, change.has_parked) == (None, False)
            assert [segment.progress.position for segment in change.segments] == [0, 0]
            rows = [row async for page in change.rows(0) for row in page]
            assert [row.stream_id for row in rows] == ["a", "b", "c"]
            rest = [row async for page in change.rows(rows[0].position) for row in page]
            assert [tuple(row) for row in rest] == [tuple(row) for row in rows[1:]]
            await handlers.count(change.batch, rows[:2])
            await handlers.count(change.batch, rows[2:])
            assert await counts(parts) == {}
        assert await counts(parts) == {"a": 1, "b": 1, "c": 1, TOTAL: 3}

    async def test_an_error_in_a_change_changes_nothing(self, parts: Parts) -> None:
        await register(parts)
        handlers = Counting(ORDERS)
        inline_of(parts).install(handlers)
        assert await write(parts, "a") is None
        with pytest.raises(KeyError):  # noqa: PT012 - the block is what is tested
            async with inline_of(parts).change(ORDERS, to_inline=True) as change:
                await change.batch.put({"a": "1"})
                raise KeyError
        arrangement = await projections_of(parts).arrangement(ORDERS)
        assert arrangement.record.inline_from is None
        assert [segment.progress.position for segment in arrangement.segments] == [0, 0]
        assert await write(parts, "a") is None
        assert await counts(parts) == {}
        assert handlers.seen[ORDERS] == []

    async def test_a_change_says_what_is_parked_and_inline_already(self, parts: Parts) -> None:
        await register(parts)
        inline_of(parts).install(Counting(ORDERS))
        await park(projections_of(parts), "a", 1)
        async with inline_of(parts).change(ORDERS, to_inline=True) as change:
            assert change.has_parked
        async with inline_of(parts).change(ORDERS, to_inline=True) as change:
            assert change.record.inline_from == 0

    async def test_what_is_not_registered_cannot_be_changed(self, parts: Parts) -> None:
        inline_of(parts).install(Counting(ORDERS))
        for to_inline in (True, False):
            with pytest.raises(ProjectionError):
                await make_inline(parts, to_inline=to_inline)

    async def test_a_change_waits_for_a_write_and_holds_the_next(self, parts: Parts) -> None:
        await counting(parts, OTHERS)
        await register(parts)
        handlers = Blocked(ORDERS, OTHERS)
        inline_of(parts).install(handlers)
        begun = asyncio.create_task(write(parts, "a"))
        is_held, may_end = asyncio.Event(), asyncio.Event()

        async def change() -> list[str]:
            async with inline_of(parts).change(ORDERS, to_inline=True) as change:
                is_held.set()
                await may_end.wait()
                return [row.stream_id async for page in change.rows(0) for row in page]

        async with asyncio.timeout(self.deadline):
            await handlers.has_begun.wait()
            changing = asyncio.create_task(change())
            await asyncio.wait({changing}, timeout=BRIEFLY)
            assert not is_held.is_set()
            handlers.may_go_on.set()
            assert await begun is None
            await is_held.wait()
            held = asyncio.create_task(write_at_last(parts, "b"))
            await asyncio.wait({held}, timeout=BRIEFLY)
            assert not held.done()
            may_end.set()
            assert await changing == ["a"]
            assert await held is None
        assert await counts(parts) == {"b": 1, TOTAL: 1}
        assert await counts(parts, OTHERS) == {"a": 1, "b": 1, TOTAL: 2}

    async def test_a_transaction_applies_what_it_keeps(
        self, request: pytest.FixtureRequest, parts: Parts
    ) -> None:
        skip_unless_met(request, parts, needs=("transactions",))
        assert parts.transactions is not None
        await counting(parts, ORDERS)
        async with parts.transactions.begin() as transaction:
            await transaction.write([append_to("a", encoded(1))])
            await transaction.write([append_to("a", encoded(2)), append_to("b", encoded(3))])
        assert await counts(parts) == {"a": 2, "b": 1, TOTAL: 3}
        with pytest.raises(KeyError):  # noqa: PT012 - the block is what is tested
            async with parts.transactions.begin() as transaction:
                await transaction.write([append_to("a", encoded(4))])
                raise KeyError
        assert await counts(parts) == {"a": 2, "b": 1, TOTAL: 3}

    async def test_writes_of_two_handles_lose_no_update(
        self, request: pytest.FixtureRequest, new_location: NewLocation
    ) -> None:
        skip_unless_met(request, needs=("is_shared",))
        opening = new_location()
        async with opening() as one, opening() as other:
            await counting(one, ORDERS)
            error = await write(other, "a")
            assert isinstance(error, InlineMismatchError)
            await counting(other, ORDERS)

            async def write_some(parts: Parts, name: str) -> None:
                for number in range(10):
                    assert await write(parts, name, f"{name}-{number}") is None

            await asyncio.gather(write_some(one, "a"), write_some(other, "b"))
            found = await counts(one)
            assert (found["a"], found["b"], found[TOTAL]) == (10, 10, 40)

    async def test_what_is_inline_outlives_a_handle(
        self, request: pytest.FixtureRequest, new_location: NewLocation
    ) -> None:
        skip_unless_met(request, needs=("is_durable",))
        opening = new_location()
        async with opening() as parts:
            await counting(parts, ORDERS)
            assert await write(parts, "a") is None
        async with opening() as parts:
            assert isinstance(await write(parts, "a"), InlineMismatchError)
            inline_of(parts).install(Counting(ORDERS))
            assert await write(parts, "a") is None
            assert await counts(parts) == {"a": 2, TOTAL: 2}
