"""Thousands of keys whose events fail: they hold up their own segment, and nothing else."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from eventsourcing_core import Event, ExpectedVersion, open_backend
from eventsourcing_core.stores import HASHES, Build
from tests.projections_under_load._events import Moved, key_of, types
from tests.projections_under_load._histories import Applied, wrong_counts, wrong_order
from tests.projections_under_load._places import counts_in, entries_of
from tests.projections_under_load._projections import ledger_of
from tests.projections_under_load._waiting import have_arrived, until
from tests.projections_under_load.worker import Picky

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core import Backend
    from tests.projections_under_load._places import Place

SEGMENTS = 4
pytestmark = pytest.mark.timeout(300)  # what hangs ends by itself before
POISONED = 2_000  # keys, all in the first segment
MOST_PARKED = 1_000
AT_ONCE = 100  # events in an append
PICKY = Build("picky", 1)


def is_first(key: str) -> bool:
    """Tell whether a key is one of the first segment's."""
    return crc32(key.encode()) % HASHES < HASHES // SEGMENTS


def keys(name: str, *, in_first: bool) -> Iterator[str]:
    """Give keys of the first segment, or of the others."""
    return (key for n in count() if is_first(key := f"{name}-{n}") is in_first)


async def write(backend: Backend) -> None:
    """Write bad events, and to each key a good one after them, and good ones of other keys."""
    bad = [*islice(keys("bad", in_first=True), POISONED)]
    good = [*islice(keys("good", in_first=False), POISONED)]
    events = [
        Event.of(Moved(amount, key), event_types=types)
        for pair in zip(bad, good, strict=True)
        for key, amount in zip(pair, (-1, 1), strict=True)
    ]
    events += [Event.of(Moved(2, key), event_types=types) for key in bad]
    for first in range(0, len(events), AT_ONCE):
        await backend.event_store.append(
            "moves", events[first : first + AT_ONCE], expected_version=ExpectedVersion.ANY
        )


async def check(backend: Backend, place: Place, name: str, *, is_whole: bool) -> None:
    """See that a projection has applied each event once and in order: all, or those of good keys.

    The first events of the first segment may have been applied before it was paused.
    """
    expected = [
        Applied(str(event.event_id), key_of(event), event.position)
        async for event in backend.event_store.read_all()
        if is_whole or not is_first(key_of(event))
    ]
    log = await entries_of(place, name)
    assert wrong_counts(expected, await counts_in(place, name)) == []
    assert sorted(log) == sorted(expected)
    assert wrong_order(log) == []


async def others_have_arrived(backend: Backend, position: int) -> bool:
    """Tell whether all but the first segment are at a position."""
    arrangement = await backend.projection_store.arrangement(PICKY)
    return all(each.progress.position >= position for each in arrangement.segments[1:])


async def parked_in_first(backend: Backend) -> int:
    counts = await backend.projection_store.count_parked(PICKY)
    assert {*counts} <= {0}
    return counts.get(0, 0)


async def test_a_segment_with_too_many_poisoned_keys_pauses_and_nothing_else_does(
    place: Place,
) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        await write(backend)
        head = await backend.event_store.last_position()
        projections = [Picky(is_mended=False), ledger_of(1)()]
        async with backend.projector(projections, segments=SEGMENTS) as projector:
            await projector.wait_for(head, "ledger", timeout=60)
            await until(lambda: others_have_arrived(backend, head))

            async def has_paused() -> bool:
                return await parked_in_first(backend) > MOST_PARKED

            await until(has_paused)
        await check(backend, place, "ledger", is_whole=True)
        await check(backend, place, "picky", is_whole=False)
        arrangement = await backend.projection_store.arrangement(PICKY)
        assert arrangement.segments[0].progress.position < head
        assert await parked_in_first(backend) < POISONED

        async with backend.projector([Picky(is_mended=True)]):
            await backend.projections.retry("picky")

            async def is_whole() -> bool:
                return not await parked_in_first(backend) and await have_arrived(backend, head)

            await until(is_whole)
        await check(backend, place, "picky", is_whole=True)
