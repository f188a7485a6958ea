"""Parked keys: what fails waits, with all that comes after it, and nothing else does."""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Event,
    EventTypes,
    ExpectedVersion,
    ProjectionError,
    ProjectionParkedError,
    RecordedEvent,
    View,
    open_backend,
)
from tests.every_store.projections._shop import (
    DEADLINE,
    CustomerOrders,
    EventCounts,
    Mailer,
    Placed,
    Shipped,
    append,
    opened,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core import AppendResult, Projector


class FailingMailer(Mailer):
    """A reactor that cannot."""

    name = "failing-mailer"

    async def react(self, event: RecordedEvent[Placed]) -> None:
        message = f"no address for {event.stream_id}"
        raise RuntimeError(message)


def is_given_up(projector: Projector, name: str, count: int = 1) -> Callable[[], Awaitable[bool]]:
    """Tell whether so many keys wait for somebody to decide."""

    async def is_so() -> bool:
        return sum(key.is_given_up for key in await projector.parked(name)) == count

    return is_so


async def test_a_key_that_fails_waits_and_the_others_go_on(store_url: str) -> None:
    view = CustomerOrders()
    async with (
        opened(store_url) as backend,
        backend.projector([view], attempts=2, retry_pause=0.01) as projector,
    ):
        bad = await append(backend, "o-1", Placed("bad"))
        await append(backend, "o-2", Placed("bad"), Placed("ann"))
        last = await append(backend, "o-3", Placed("ann"))
        await projector.wait_for(last, view, timeout=DEADLINE)
        with pytest.raises(ProjectionParkedError) as caught:
            await projector.wait_for(bad, view, timeout=DEADLINE)
        assert (caught.value.projection, caught.value.key) == ("customer-orders", "bad")
        assert "out of order" in caught.value.error
        (key,) = await projector.parked(view)
        assert (key.key, key.waiting, key.attempts, key.is_given_up) == ("bad", 2, 2, True)
        assert (await projector.status())[0].parked == 1
        ann = await backend.view(CustomerOrders).get("ann")
        assert ann is not None
        assert ann.open == ["o-2", "o-3"]
        assert await backend.view(CustomerOrders).get("bad") is None


async def test_the_log_says_where_an_event_failed(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    view, mailer = CustomerOrders(), FailingMailer()
    async with (
        opened(store_url) as backend,
        backend.projector([view, mailer], attempts=1) as projector,
    ):
        bad = await append(backend, "o-1", Placed("bad"))
        for each in (view, mailer):
            with pytest.raises(ProjectionParkedError):
                await projector.wait_for(bad, each, timeout=DEADLINE)
    parked = {record.getMessage(): record.exc_info for record in caplog.records}
    for key, raised in (("bad", "evolve"), ("o-1", "react")):
        (cause,) = (info for text, info in parked.items() if f"{key!r}, whose event at" in text)
        assert cause is not None
        assert traceback.extract_tb(cause[2])[-1].name == raised


async def test_what_failed_once_is_soon_tried_again_in_order(store_url: str) -> None:
    view = CustomerOrders()
    async with (
        opened(store_url) as backend,
        backend.projector([view], attempts=100, retry_pause=0.001) as projector,
    ):
        await append(backend, "o-1", Placed("bad"))
        await append(backend, "o-2", Placed("bad"))
        await until(lambda: projector.parked(view))
        view.is_broken = False
        last = await append(backend, "o-1", Shipped("bad"))
        await projector.wait_for(last, view, timeout=DEADLINE)

        async def is_done() -> bool:
            return not await projector.parked(view)

        await until(is_done)
        bad = await backend.view(CustomerOrders).get("bad")
        assert bad is not None
        assert (bad.open, bad.count) == (["o-2"], 3)


@pytest.mark.parametrize("is_of_one_key", [True, False])
async def test_a_key_that_was_given_up_is_tried_when_somebody_asks(
    store_url: str, *, is_of_one_key: bool
) -> None:
    view = CustomerOrders()
    async with (
        opened(store_url) as backend,
        backend.projector([view], attempts=1, retry_pause=0.01) as projector,
    ):
        await append(backend, "o-1", Placed("bad"))
        await append(backend, "o-1", Placed("bad-2"))
        last = await append(backend, "o-1", Shipped("bad"))
        await until(is_given_up(projector, "customer-orders", 2))
        view.is_broken = False
        assert await projector.retry(view, "bad" if is_of_one_key else None) in {1, 2}
        await projector.wait_for(last, view, timeout=DEADLINE)
        bad = await backend.view(CustomerOrders).get("bad")
        assert bad is not None
        assert (bad.open, bad.count) == ([], 2)
        with pytest.raises(ProjectionError, match="'ann' of projection 'customer-orders' is not"):
            await projector.retry(view, "ann")


async def test_one_event_can_be_skipped(store_url: str) -> None:
    mailer = Mailer()
    mailer.failures["o"] = 2
    async with (
        opened(store_url) as backend,
        backend.projector([mailer], attempts=1, retry_pause=0.01) as projector,
    ):

        async def are_left(waiting: int) -> bool:
            found = [(key.waiting, key.is_given_up) for key in await projector.parked(mailer)]
            return found == [(waiting, True)]

        last = await append(backend, "o", Placed("a"), Placed("a"), Placed("a"))
        for waiting in (3, 2):
            await until(partial(are_left, waiting))
            await projector.skip(mailer, "o")
        await projector.wait_for(last, mailer, timeout=DEADLINE)
        assert mailer.seen == [("o", 3)]


async def test_a_value_that_cannot_be_stored_parks_its_key_and_no_other(store_url: str) -> None:
    class Values(View[Any]):
        name = "values"

        def evolve(self, value: Any, event: RecordedEvent[Placed]) -> Any:  # noqa: ARG002 - the last one counts
            return {"a": float("nan"), "b": "\0", "c": object(), "d": "\ud800"}.get(
                event.data.customer, event.data.customer
            )

    async with (
        opened(store_url) as backend,
        backend.projector([Values()], attempts=1, retry_pause=0.01) as projector,
    ):
        last: AppendResult | int = 0
        for key in "abcde":
            last = await append(backend, key, Placed("\\u0000 is text"), Placed(key))
        await projector.wait_for(last, "values", timeout=DEADLINE)
        await until(is_given_up(projector, "values", 4))
        nan = next(key for key in await projector.parked("values") if key.key == "a")
        assert "a value of Values cannot be stored: it has a float that is NaN" in nan.error
        assert {key: value async for key, value in backend.view(Values).all()} == {
            **dict.fromkeys("abcd", "\\u0000 is text"),
            "e": "e",
        }


async def test_a_key_that_cannot_be_told_parks_the_stream(store_url: str) -> None:
    class Odd(View[int]):
        name = "odd"

        def key(self, event: RecordedEvent[Any]) -> Any:
            return {"number": 7, "long": "x" * 256, "empty": ""}.get(event.data.customer, "fine")

        def evolve(self, value: int | None, event: RecordedEvent[Placed]) -> int:  # noqa: ARG002 - it only counts
            return (value or 0) + 1

    async with (
        opened(store_url) as backend,
        backend.projector([Odd()], attempts=1, retry_pause=0.01) as projector,
    ):
        last: AppendResult | int = 0
        for kind in ("number", "long", "empty", "other"):
            last = await append(backend, f"s-{kind}", Placed(kind))
        await projector.wait_for(last, "odd", timeout=DEADLINE)
        parked = {key.key: key.error for key in await projector.parked("odd")}
        assert parked.keys() == {"s-number", "s-long", "s-empty"}
        assert "got 7" in parked["s-number"]
        assert "256 characters" in parked["s-long"]
        assert await backend.view(Odd).get("fine") == 1


async def test_an_event_that_cannot_be_read_parks_its_stream(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([EventCounts()], attempts=1, retry_pause=0.01) as projector,
    ):
        await append(backend, "s-1", Placed("a"))
        await store_raw(store_url, "s-1", Event("placed", {"cents": "many"}))
        await append(backend, "s-1", Placed("a"))
        last = await append(backend, "s-2", Placed("a"))
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        await until(is_given_up(projector, "event-counts"))
        (key,) = await projector.parked(EventCounts)
        assert (key.key, key.waiting) == ("s-1", 2)
        assert "cannot be read" in key.error
        await projector.skip(EventCounts, "s-1")

        async def is_done() -> bool:
            return await backend.view(EventCounts).get("s-1") == 2

        await until(is_done)


async def store_raw(url: str, stream_id: str, event: Event[Any]) -> None:
    """Append an event as a process without the class does."""
    async with open_backend(url, event_types=EventTypes()) as backend:
        await backend.event_store.append(stream_id, [event], expected_version=ExpectedVersion.ANY)
