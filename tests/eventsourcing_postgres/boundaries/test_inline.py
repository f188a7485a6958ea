"""Inline projections see groups, and events with tags and conditions, in the same transaction."""

from __future__ import annotations

import asyncio

import pytest

from eventsourcing_core import BoundaryError, Query, ToStream
from eventsourcing_core.stores import InlineError
from tests.every_store.projections._counts import (
    Counted,
    Counts,
    count,
    counts_of,
    opened,
    true_counts,
)


def to(stream_id: str, *keys: str, by: int = 1) -> ToStream:
    return ToStream(stream_id, [Counted([*keys], by)], expected_version=0, tags={"counted"})


async def test_a_view_has_what_groups_wrote_when_they_are_written(
    url: str,
) -> None:
    async with opened(url, Counts()) as backend:
        store = backend.event_store
        groups = [
            store.append_together([to(f"a-{number}", "x", "y"), to(f"b-{number}", "y")])
            for number in range(10)
        ]
        await asyncio.gather(*groups, *(count(backend, f"c-{n}", "z") for n in range(10)))
        assert await counts_of(backend) == {"x": 10, "y": 20, "z": 10}
        assert await true_counts(backend) == await counts_of(backend)


async def test_what_a_condition_refuses_is_in_no_view(url: str) -> None:
    async with opened(url, Counts()) as backend:
        store = backend.event_store
        marker = (await store.read_matching(Query(tags={"counted"}))).marker
        results = await asyncio.gather(
            *(
                store.append_together([to(f"s-{number}", "x")], unless_changed=marker)
                for number in range(5)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(result, BoundaryError) for result in results) == 4
        assert await counts_of(backend) == {"x": 1}


async def test_a_group_that_a_handler_refuses_is_written_nowhere(
    url: str,
) -> None:
    async with opened(url, Counts()) as backend:
        store = backend.event_store
        with pytest.raises(InlineError):
            await store.append_together([to("a", "x"), to("b", "y", by=-1)])
        assert await counts_of(backend) == {}
        assert await store.stream_version("a") == 0
