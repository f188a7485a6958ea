"""What is wrong with builds that are inline in these backends, the contract sees."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import uuid4

import pytest

from eventsourcing_core import InlineError, ProjectionError
from eventsourcing_core.stores import ProjectionKind
from eventsourcing_core.testing import InliningContract
from eventsourcing_inmemory._backend import _named, open_memory
from eventsourcing_inmemory._inline import InMemoryChange

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Callable,
        Collection,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import (
        Build,
        InlineBatch,
        InlineChange,
        InlineHandlers,
        Parts,
        Row,
    )
    from eventsourcing_core.testing import NewLocation, OpenParts
    from eventsourcing_inmemory._inline import InMemoryInlining

    BatchOf = Callable[[Build], AbstractAsyncContextManager[InlineBatch]]


class BrokenHandlers:
    """What a store is given in place of the handlers: a store with a fault calls them wrongly."""

    def __init__(self, handlers: InlineHandlers, fault: Broken) -> None:
        self.handlers = handlers
        self.fault = fault

    @property
    def builds(self) -> Mapping[Build, ProjectionKind]:
        return self.fault.builds(self.handlers.builds)

    def early_keys(self, build: Build, events: Iterable[tuple[str, str]]) -> Collection[str]:
        return self.handlers.early_keys(build, events)

    async def apply(
        self, builds: Collection[Build], rows: Sequence[Row], batch_of: BatchOf
    ) -> None:
        await self.fault.apply(self.handlers, builds, rows, batch_of)


class Broken:
    """Does as it should; a fault does a step in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    kinds = frozenset({ProjectionKind.VIEW})

    def __init__(self, inner: InMemoryInlining) -> None:
        self.inner = inner

    def install(self, handlers: InlineHandlers) -> None:
        self.inner.install(BrokenHandlers(handlers, self))

    def builds(self, builds: Mapping[Build, ProjectionKind]) -> Mapping[Build, ProjectionKind]:
        return builds

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        await handlers.apply(builds, rows, batch_of)

    def change(self, build: Build, *, to_inline: bool) -> AbstractAsyncContextManager[InlineChange]:
        return self.inner.change(build, to_inline=to_inline)


class AppliesNothing(Broken):
    caught_by = (
        "test_what_is_written_is_applied_in_the_same_write",
        "test_several_events_of_an_append_come_in_their_order",
        "test_a_transaction_applies_what_it_keeps",
        "test_what_is_inline_outlives_a_handle",
    )

    async def apply(self, handlers: InlineHandlers, *_: object) -> None:
        del handlers


class AppliesTwice(Broken):
    caught_by = (
        "test_what_is_written_is_applied_in_the_same_write",
        "test_what_is_not_written_is_not_applied",
        "test_writes_of_two_handles_lose_no_update",
    )

    async def apply(self, handlers: InlineHandlers, *given: Any) -> None:
        await handlers.apply(*given)
        await handlers.apply(*given)


class AppliesBackwards(Broken):
    caught_by = (
        "test_what_is_written_is_applied_in_the_same_write",
        "test_several_events_of_an_append_come_in_their_order",
    )

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        await handlers.apply(builds, rows[::-1], batch_of)


class SwallowsErrors(Broken):
    caught_by = ("test_an_error_takes_back_what_was_written_with_it",)

    async def apply(self, handlers: InlineHandlers, *given: Any) -> None:
        with suppress(InlineError):
            await handlers.apply(*given)


class LeavesPlaces(Broken):
    """Gives keys without a value one, so that others wait for them, and leaves it there."""

    caught_by = ("test_a_value_that_is_taken_away_is_not_there",)

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        await handlers.apply(builds, rows, batch_of)
        for build in builds:
            async with batch_of(build) as batch:
                if not await batch.values(["new"]):
                    await batch.put({"new": "0"})


class SharesValues(Broken):
    """Has one table for all."""

    caught_by = ("test_each_build_has_values_of_its_own",)

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        await handlers.apply(builds, rows, lambda _: batch_of(min(builds, key=lambda b: b.name[1])))


class AppliesWhateverItCan(Broken):
    caught_by = ("test_only_what_is_inline_is_applied",)

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        (build,) = builds
        await handlers.apply(handlers.builds, rows, lambda _: batch_of(build))


class NeverFollowsAgain(Broken):
    caught_by = (
        "test_what_follows_again_is_not_applied",
        "test_what_follows_again_does_so_from_the_last_event",
    )

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        if to_inline:
            async with self.inner.change(build, to_inline=True) as change:
                yield change
        else:
            yield cast("InlineChange", None)


class LetsAnybodyAppend(Broken):
    caught_by = ("test_whoever_lacks_what_is_inline_may_not_append",)

    def builds(self, builds: Mapping[Build, ProjectionKind]) -> Mapping[Build, ProjectionKind]:
        return {**dict.fromkeys(self.inner._log.inline, ProjectionKind.VIEW), **builds}

    async def apply(
        self,
        handlers: InlineHandlers,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: BatchOf,
        /,
    ) -> None:
        able = [build for build in builds if build in handlers.builds]
        await handlers.apply(able, rows, batch_of)


class LeavesOwners(Broken):
    caught_by = ("test_after_a_change_nobody_owns_segments_of_before",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        async with self.inner.change(build, to_inline=to_inline) as change:
            kept = self.inner._shelf.builds[build]
            segments = dict(kept.segments)
            yield change
        kept.segments = segments


class CommitsWhatFailed(Broken):
    caught_by = ("test_an_error_in_a_change_changes_nothing",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        error: Exception | None = None
        async with self.inner.change(build, to_inline=to_inline) as change:
            try:
                yield change
            except KeyError as caught:
                error = caught
        if error is not None:
            raise error


class ChangesWithoutHolding(Broken):
    caught_by = ("test_a_change_waits_for_a_write_and_holds_the_next",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        inner = self.inner
        yield cast("InlineChange", InMemoryChange(inner._log, inner._shelf.builds[build]))
        async with inner.change(build, to_inline=to_inline):
            pass


class AllRows:
    """A change that does not look after what it gives rows."""

    def __init__(self, change: InlineChange) -> None:
        self.change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self.change, name)

    def rows(self, after: int) -> AsyncIterator[Sequence[Row]]:
        del after
        return self.change.rows(0)


class GivesAllRows(Broken):
    caught_by = ("test_a_change_brings_up_what_is_missing",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        async with self.inner.change(build, to_inline=to_inline) as change:
            yield cast("InlineChange", AllRows(change))


class KnowsNothingOfParkedKeys(Broken):
    caught_by = ("test_a_change_says_what_is_parked_and_inline_already",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        async with self.inner.change(build, to_inline=to_inline) as change:
            change.has_parked = False
            yield change


class ChangesWhatIsNotThere(Broken):
    caught_by = ("test_what_is_not_registered_cannot_be_changed",)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InlineChange]:
        try:
            async with self.inner.change(build, to_inline=to_inline) as change:
                yield change
        except ProjectionError:
            yield cast("InlineChange", None)


class TestBrokenInlining(InliningContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 1.0

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> Iterator[NewLocation]:
        urls: list[str] = []

        def make() -> OpenParts:
            url = f"memory://{uuid4().hex}"
            urls.append(url)

            @asynccontextmanager
            async def opened() -> AsyncIterator[Parts]:
                async with open_memory(url) as parts:
                    yield replace(parts, inline=fault(cast("InMemoryInlining", parts.inline)))

            return opened

        yield make
        for url in urls:
            _named.pop(url.removeprefix("memory://"), None)
