"""Handlers that fail with what could be taken for something else, and what a failure leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Projection, Reactor, RecordedEvent, StorageError, View, event
from eventsourcing_core._projections import worker
from eventsourcing_core.stores import FencedError
from tests.every_store.projections._shop import (
    DEADLINE,
    EventCounts,
    Placed,
    append,
    opened,
    types,
    until,
)

if TYPE_CHECKING:
    from eventsourcing_core import Projector


class PanicError(BaseException):
    """What an extension written in another language may raise."""


ERRORS = [asyncio.CancelledError(), StorageError("of another store"), PanicError("lost")]
NAMES = ["cancelled", "storage", "panic"]


class Tables(Projection[Any]):
    """Fails for one stream."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def apply(self, event: RecordedEvent[Placed], connection: Any) -> None:  # noqa: ARG002 - it writes nothing
        if event.stream_id == "bad":
            raise self.error


class Calls(Reactor):
    """Fails for one stream, too."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def react(self, event: RecordedEvent[Placed]) -> None:
        if event.stream_id == "bad":
            raise self.error


async def is_given_up(projector: Projector) -> bool:
    """Tell whether the key waits for somebody to decide."""
    return [key.is_given_up for key in await projector.parked("failing")] == [True]


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
@pytest.mark.parametrize("kind", [Tables, Calls])
async def test_whatever_a_handler_fails_with_parks_its_key(
    store_url: str, kind: type[Tables | Calls], error: BaseException
) -> None:
    follower = kind(error)
    async with (
        opened(store_url) as backend,
        backend.projector([follower], attempts=2, retry_pause=0.01) as projector,
    ):
        await append(backend, "bad", Placed("a"))
        last = await append(backend, "good", Placed("a"))
        await projector.wait_for(last, "failing", timeout=DEADLINE)
        await until(lambda: is_given_up(projector))
        (key,) = await projector.parked("failing")
        assert str(error) in key.error


async def test_whoever_is_fenced_again_and_again_does_not_wait_longer(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, pauses, fences = worker._until, list[float](), 8

    async def waited(event: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        await wait(event, seconds)

    async with opened(store_url) as backend:
        kind: Any = type(backend.projection_store)
        open_batch = kind.batch

        def batch(*arguments: Any, **options: Any) -> Any:
            nonlocal fences
            fences -= 1
            if fences > 0:
                message = "somebody has taken it over"
                raise FencedError(message)
            return open_batch(*arguments, **options)

        monkeypatch.setattr(worker, "_until", waited)
        monkeypatch.setattr(kind, "batch", batch)
        async with backend.projector([EventCounts()]) as projector:
            saved = await append(backend, "o", Placed("a"))
            await projector.wait_for(saved, EventCounts, timeout=DEADLINE)
    assert fences <= 0
    assert set(pauses) == {0.05}


async def test_a_heart_goes_on_although_the_projection_was_dropped(store_url: str) -> None:
    async with opened(store_url) as backend:
        async with backend.projector([EventCounts()], lease=0.3) as projector:
            saved = await append(backend, "o", Placed("a"))
            await projector.wait_for(saved, EventCounts, timeout=DEADLINE)
            await projector.drop(EventCounts, 1)
            await asyncio.sleep(0.3)  # it beats meanwhile; a slow machine beats later, and passes
            assert any("Claims.renew" in repr(task) for task in asyncio.all_tasks())
            async with backend.projector([EventCounts()], lease=0.3) as other:
                await other.wait_for(saved, EventCounts, timeout=DEADLINE)
        assert await backend.view(EventCounts).get("o") == 1


@event("filled", event_types=types)
class Filled:
    """A basket was filled."""

    baskets: list[str]
    things: list[str]


class Baskets(View[list[str]]):
    """Keeps the list that came with the first event, and adds to it."""

    name = "baskets"

    def key(self, event: RecordedEvent[Filled]) -> list[str]:
        return event.data.baskets

    def evolve(self, value: list[str] | None, event: RecordedEvent[Filled]) -> list[str]:
        if "broken" in event.data.things:
            message = "it broke"
            raise ValueError(message)
        if value is None:
            return event.data.things
        value += event.data.things
        return value


async def test_a_value_may_hold_what_an_event_holds(store_url: str) -> None:
    async with opened(store_url) as backend:
        await append(backend, "s", *(Filled(["a"], [thing]) for thing in ("x", "y", "broken")))
        saved = await append(backend, "s", Filled(["b", "c"], ["x"]), Filled(["b"], ["y"]))
        async with backend.projector([Baskets()], retry_pause=DEADLINE) as projector:
            await projector.wait_for(saved, Baskets, timeout=DEADLINE)
            found = {key: value async for key, value in backend.view(Baskets).all()}
    assert found == {"a": ["x", "y"], "b": ["x", "y"], "c": ["x"]}
