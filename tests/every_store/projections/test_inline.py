"""Inline views: appends apply their events to them, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    ExpectedVersion,
    InlineError,
    InlineMismatchError,
    ProjectionError,
    Reactor,
    RecordedEvent,
    View,
    open_backend,
)
from tests.every_store.projections._counts import (
    Counted,
    Counts,
    Last,
    count,
    counts_of,
    opened,
    true_counts,
    types,
)

if TYPE_CHECKING:
    from eventsourcing_core import Backend


async def test_what_is_saved_is_seen_at_once(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        saved = await count(backend, "a", "x", "y")
        assert await backend.view(Counts).get_many(["x", "y", "z"]) == {"x": 1, "y": 1}
        await backend.projections.wait_for(saved, Counts, timeout=5)


async def test_many_at_once_lose_no_update(store_url: str) -> None:
    async with opened(store_url, Counts()) as one, opened(store_url, Counts()) as other:

        async def append_some(backend: Backend, number: int) -> None:
            for turn in range(8):
                stream_id = f"{id(backend)}-{number % 24}"
                await count(backend, stream_id, "all", f"k-{number % 5}", f"n-{number}-{turn}")

        await asyncio.gather(
            *(append_some(each, number) for number in range(32) for each in (one, other))
        )
        assert await counts_of(one) == await true_counts(other)
        assert (await counts_of(one))["all"] == 8 * 32 * 2


async def test_a_handler_that_fails_fails_only_its_append(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        results = await asyncio.gather(
            *(count(backend, f"s-{n}", f"k-{n}", by=-1 if n == 7 else 1) for n in range(20)),
            return_exceptions=True,
        )
        (error,) = [each for each in results if isinstance(each, BaseException)]
        assert isinstance(error, InlineError)
        assert isinstance(error.__cause__, ValueError)
        assert "version 1 of stream 's-7' (ValueError: below zero)" in str(error)
        assert await backend.event_store.stream_version("s-7") == 0
        assert await counts_of(backend) == {f"k-{n}": 1 for n in range(20) if n != 7}


async def test_several_events_of_an_append_are_applied_in_their_order(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        events = [Counted(["x"], 2), Counted(["x"], -2), Counted(["x", "y"], 3)]
        await backend.event_store.append("a", events, expected_version=0)
        assert await counts_of(backend) == {"x": 3, "y": 3}
        with pytest.raises(InlineError):
            await backend.event_store.append("a", [Counted(["x"], -9)], expected_version=3)
        await backend.event_store.append("a", [Counted(["x"], -3)], expected_version=3)
        assert await counts_of(backend) == {"y": 3}


async def test_what_is_repeated_is_applied_once(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        await count(backend, "a", "x")
        (recorded,) = [event async for event in backend.event_store.read("a")]
        again = await backend.event_store.append("a", [recorded], expected_version=0)
        assert again.version == 1
        assert await counts_of(backend) == {"x": 1}


async def test_a_process_without_it_may_not_append(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend, opened(store_url) as old:
        with pytest.raises(InlineMismatchError, match="the store wants counts:1") as caught:
            await count(old, "a", "x")
        assert (caught.value.wanted, caught.value.given) == ("counts:1", "")
        with pytest.raises(InlineMismatchError):
            async with old.transaction() as transaction:
                await transaction.append("a", [Counted(["x"])], expected_version=0)
        assert await true_counts(backend) == {}
        assert await old.event_store.stream_version("a") == 0
        await count(backend, "a", "x")
        assert await counts_of(old) == {"x": 1}


async def test_a_transaction_applies_each_append_and_takes_all_back(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        async with backend.transaction() as transaction:
            await transaction.append("a", [Counted(["x"])], expected_version=0)
            with pytest.raises(InlineError):
                await transaction.append("b", [Counted(["x", "y"], -2)], expected_version=0)
            await transaction.append("c", [Counted(["x", "y"], 1)], expected_version=0)
        assert await counts_of(backend) == await true_counts(backend) == {"x": 2, "y": 1}

        with pytest.raises(KeyError):  # noqa: PT012 - the block is what is tested
            async with backend.transaction() as transaction:
                await transaction.append("d", [Counted(["x", "z"])], expected_version=0)
                raise KeyError
        assert await counts_of(backend) == {"x": 2, "y": 1}


async def test_an_import_is_applied_and_its_repetition_is_not(store_url: str) -> None:
    async with opened("memory://") as source:
        for number in range(10):
            await count(source, f"s-{number % 3}", "all", f"k-{number % 3}")
        recorded = [event async for event in source.event_store.read_all()]
    async with opened(store_url, Counts()) as backend:
        assert await backend.event_store.import_events(recorded[:4]) == 4
        assert await backend.event_store.import_events(recorded) == 6
        assert await backend.event_store.import_events(recorded) == 0
        assert await counts_of(backend) == await true_counts(backend)
        assert (await counts_of(backend))["all"] == 10


async def test_a_store_with_events_is_brought_up_first(store_url: str) -> None:
    async with opened(store_url) as before:
        for _ in range(3):
            await before.event_store.append(
                "a", [Counted(["x"]) for _ in range(100)], expected_version=ExpectedVersion.ANY
            )
    async with opened(store_url, Counts()) as backend:
        assert await counts_of(backend) == {"x": 300}
        await count(backend, "b", "x")
        assert await counts_of(backend) == {"x": 301}


async def test_its_status_says_that_it_is_inline(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        saved = await count(backend, "a", "x")
        (status,) = await backend.projections.status(Counts)
        assert (status.state, status.position, status.lag_events) == ("inline", saved.position, 0)
        await backend.projections.make_async(Counts)
        (status,) = await backend.projections.status(Counts)
        assert (status.state, status.position) == ("live", saved.position)


@dataclass
class Size:
    """How large a stream is."""

    size: str
    events: int


class Sizes(View[Size]):
    """Values with an index."""

    name = "sizes"
    indexes = ("size",)

    def evolve(self, value: Size | None, event: RecordedEvent[Counted]) -> Size:  # noqa: ARG002 - it only counts
        events = 1 if value is None else value.events + 1
        return Size("large" if events > 1 else "small", events)


async def test_values_are_found_by_their_fields(store_url: str) -> None:
    async with opened(store_url, Sizes(), Counts()) as backend:
        for number in range(30):
            await count(backend, f"s-{number % 20:02}", "x")
        view = backend.view(Sizes)
        large = [f"s-{number:02}" for number in range(10)]
        assert [key async for key, _ in view.where(size="large")] == large
        assert [key async for key, _ in view.all()] == [f"s-{number:02}" for number in range(20)]
        assert [key async for key, _ in view.where(size="none")] == []
        assert await counts_of(backend) == {"x": 30}


async def test_nobody_works_on_it_meanwhile(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        with pytest.raises(ProjectionError, match="is inline: appends themselves apply"):
            await backend.projector([Counts()]).__aenter__()
        with pytest.raises(ProjectionError, match="is inline: let it follow first"):
            await backend.projections.pause(Counts)
        with pytest.raises(ProjectionError, match="is inline: let it follow first"):
            await backend.projections.drop(Counts, 1)
        await backend.projections.make_async(Counts)
        with pytest.raises(ProjectionError, match="is not inline"):
            await backend.projections.make_async(Counts)


async def test_it_changes_to_and_fro_while_others_append(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        is_over = asyncio.Event()
        appending = [asyncio.create_task(_append_until(is_over, backend, n)) for n in range(8)]
        for _ in range(3):
            async with backend.projector([]):
                await backend.projections.make_async(Counts)
            async with opened(store_url) as other, other.projector([Counts()], segments=3) as runs:
                saved = await count(backend, "probe", "probe")
                await runs.wait_for(saved, Counts, timeout=20)
                async with opened(store_url, Counts()) as again:  # it is made inline here
                    saved = await count(again, "probe", "probe")
                    assert await again.view(Counts).get("probe") == saved.version
        is_over.set()
        counts = await asyncio.gather(*appending)
        assert min(counts) > 3
        assert await counts_of(backend) == await true_counts(backend)


async def _append_until(is_over: asyncio.Event, backend: Backend, number: int) -> int:
    done = 0
    while not is_over.is_set():
        await count(backend, f"s-{number}-{done}", "all", f"k-{number % 3}")
        done += 1
    return done


class Strict(Counts):
    """Counts, and takes no more than one event of a key while it is told so."""

    class_name = "Counts"
    is_strict = True

    def evolve(self, value: int | None, event: RecordedEvent[Counted]) -> int | None:
        if value and self.is_strict:
            message = "one is enough"
            raise ValueError(message)
        return super().evolve(value, event)


async def test_what_has_parked_keys_cannot_be_inline(store_url: str) -> None:
    view = Strict()
    async with opened(store_url) as backend:
        await count(backend, "a", "x")
        await count(backend, "b", "x", "y")
        async with backend.projector([view], attempts=1):
            await _until_parked(backend)
        with pytest.raises(ProjectionError, match="keys are parked"):
            await opened(store_url, view).__aenter__()
        await count(backend, "c", "y")  # nothing has changed
        view.is_strict = False
        async with backend.projector([view]) as runs:
            await runs.retry(Counts)
            await runs.wait_for(await count(backend, "d", "x"), Counts, timeout=20)
            await _until_parked(backend, keys=0)
    async with opened(store_url, view) as again:
        await count(again, "e", "x")
        assert await counts_of(again) == await true_counts(again) == {"x": 4, "y": 2}


async def _until_parked(backend: Backend, keys: int = 1) -> None:
    async with asyncio.timeout(20):
        while True:
            statuses = await backend.projections.status()
            if statuses and statuses[0].parked == keys:
                return
            await asyncio.sleep(0.01)


async def test_a_last_event_that_fails_leaves_all_as_it_was(store_url: str) -> None:
    view = Strict()
    async with opened(store_url) as backend:
        await count(backend, "a", "x")
        await count(backend, "b", "x")
        with pytest.raises(ProjectionError, match=r"events \(ValueError: one is enough\): "):
            await opened(store_url, view).__aenter__()
        await count(backend, "c", "x")
        view.is_strict = False
        async with opened(store_url, view) as again:
            assert await counts_of(again) == {"x": 3}


async def test_one_connection_is_enough(store_url: str) -> None:
    if not store_url.startswith("postgresql"):
        pytest.skip("only PostgreSQL has a pool")
    async with opened(f"{store_url}?max_size=1&acquire_timeout=2", Counts()) as backend:
        await count(backend, "a", "x")
        await backend.projections.make_async(Counts)
    async with opened(f"{store_url}?max_size=1&acquire_timeout=2", Counts()) as backend:
        await count(backend, "a", "x")
        assert await counts_of(backend) == {"x": 2}


class Mailer(Reactor):
    name = "mailer"

    async def react(self, event: RecordedEvent[Counted]) -> None:
        """Mail nobody."""


class OtherCounts(Counts):
    version = 2
    class_name = "Counts"


def test_what_cannot_be_inline_is_refused_at_once(store_url: str) -> None:
    with pytest.raises(ProjectionError, match="reactor 'mailer' cannot be inline"):
        open_backend(store_url, event_types=types, inline=[Mailer()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - what is tested
    with pytest.raises(TypeError, match="not the class"):
        open_backend(store_url, event_types=types, inline=[Counts])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - what is tested
    with pytest.raises(ProjectionError, match="two projections of the name 'counts'"):
        opened(store_url, Counts(), OtherCounts())


async def test_only_the_live_version_can_be_inline(store_url: str) -> None:
    async with opened(store_url, Counts()) as backend:
        await count(backend, "a", "x")
        with pytest.raises(ProjectionError, match="another version is live"):
            await opened(store_url, OtherCounts()).__aenter__()
        await count(backend, "a", "x")
        await backend.projections.make_async(Counts)
        async with backend.projector([Counts(), OtherCounts()]) as runs:
            saved = await count(backend, "a", "x")
            await runs.wait_for(saved, Counts, timeout=20)
            await _until_ready(backend)
            await runs.switch(Counts)
        async with opened(store_url, OtherCounts()) as newer:
            await count(newer, "a", "x")
            assert await counts_of(newer) == {"x": 4}
            with pytest.raises(InlineMismatchError):
                await count(backend, "a", "x")


async def _until_ready(backend: Backend) -> None:
    async with asyncio.timeout(20):
        while True:
            states = [each.state for each in await backend.projections.status(Counts)]
            if states == ["live", "ready"]:
                return
            await asyncio.sleep(0.01)


ODD = ["it's", '"\\', "{gone}{values}", "$1 -- \\x", "é ☂", "null"]


async def test_keys_that_are_streams_have_what_was_written_to_them(store_url: str) -> None:
    async with opened(store_url, Last()) as backend:
        await asyncio.gather(
            *(count(backend, odd, odd, odd[::-1]) for odd in ODD for _ in range(9))
        )
        expected = {odd: odd[::-1] for odd in ODD}
        assert {key: value async for key, value in backend.view(Last).all()} == expected
        await asyncio.gather(*(count(backend, odd) for odd in ODD[1:]), count(backend, "new"))
        assert {key: value async for key, value in backend.view(Last).all()} == {
            ODD[0]: ODD[0][::-1]
        }


async def test_keys_of_what_was_refused_have_no_value(store_url: str) -> None:
    async with opened(store_url, Last()) as backend:
        append = backend.event_store.append
        await count(backend, "there", "x")
        (there,) = [event async for event in backend.event_store.read("there")]
        for others in (0, 3):  # alone, and among others
            results = await asyncio.gather(
                *(count(backend, f"good-{n}", "x") for n in range(others)),
                append("gone", [Counted(["x"])], expected_version=5),
                append("there", [Counted(["y"])], expected_version=5),
                append("there", [there], expected_version=ExpectedVersion.ANY),
                return_exceptions=True,
            )
            assert sum(isinstance(each, ConcurrencyError) for each in results) == 2
        found = {key: value async for key, value in backend.view(Last).all()}
        assert found == dict.fromkeys(["good-0", "good-1", "good-2", "there"], "x")
