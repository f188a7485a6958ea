"""Batches of thousands of events, of which one fails: few are tried one by one for its sake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence  # noqa: TC003 - the hints of handlers are read while it runs
from itertools import pairwise
from typing import Any

import pytest

from eventsourcing_core import Projection, ProjectionParkedError, RecordedEvent, View
from tests.every_store.projections._shop import DEADLINE, Placed, append, opened

MOST_ONE_BY_ONE = 1_000


class Sizes(Projection[Any]):
    """Notes how many events it is given, and whether it fails: for each bad customer."""

    name = "sizes"

    def __init__(self) -> None:
        self.given: list[tuple[int, bool]] = []

    async def apply_many(
        self,
        events: Sequence[RecordedEvent[Placed]],
        connection: Any,  # noqa: ARG002 - it writes nothing
    ) -> None:
        is_bad = any(event.data.customer == "bad" for event in events)
        self.given.append((len(events), is_bad))
        if is_bad:
            message = "a bad customer"
            raise ValueError(message)


@pytest.mark.parametrize("store_url", ["memory", "postgresql"], indirect=True)
async def test_a_large_batch_that_fails_is_given_again_in_halves_before_one_by_one(
    store_url: str,
) -> None:
    projection = Sizes()
    async with opened(store_url) as backend:
        last = 0
        for number in range(3):
            await append(backend, "good", *[Placed("good")] * 3_000)
            last = (await append(backend, f"bad-{number}", Placed("bad"))).position
        async with backend.projector([projection], attempts=1) as projector:
            with pytest.raises(ProjectionParkedError, match="a bad customer"):
                await projector.wait_for(last, "sizes", timeout=DEADLINE)
            parked = await projector.parked("sizes")
    after_failures = {
        then / size
        for (size, is_bad), (then, _) in pairwise(projection.given)
        if is_bad and size > MOST_ONE_BY_ONE
    }
    assert after_failures
    assert min(after_failures) > 0.4
    assert {key.key for key in parked} == {"bad-0", "bad-1", "bad-2"}


class Slow(View[int]):
    """Takes long to compute, and notes in which turn of the event loop it did."""

    name = "slow"

    def __init__(self) -> None:
        self.turn = 0
        self.turns: list[int] = []

    def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:  # noqa: ARG002 - it is slow anyway
        time.sleep(0.03)
        self.turns.append(self.turn)
        return (value or 0) + 1

    async def count_turns(self) -> None:
        """Count them."""
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize("store_url", ["memory"], indirect=True)
async def test_a_view_that_computes_for_long_lets_others_have_their_turns(store_url: str) -> None:
    view = Slow()
    async with opened(store_url) as backend:
        places = [await append(backend, f"s{number}", Placed("a")) for number in range(5)]
        counting = asyncio.create_task(view.count_turns())
        async with backend.projector([view]) as projector:
            await projector.wait_for(places[-1], "slow", timeout=DEADLINE)
        counting.cancel()
    assert sorted({*view.turns}) == view.turns
    assert len(view.turns) == 5
