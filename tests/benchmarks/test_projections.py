"""Each side of the comparison of projections follows every event, and counts it once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import asyncpg
import pytest

from benchmarks.projections import bare, ours, pyeventsourcing
from benchmarks.projections.log import fill

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS, STREAMS = 250, 7


@pytest.fixture
def filled(url: str) -> tuple[str, int]:
    """Give the URL of a store with events, and their last position."""
    return url, ours.made(url, EVENTS, STREAMS)


def test_the_log_is_read_as_it_was_filled(filled: tuple[str, int]) -> None:
    assert ours.read_all(filled[0]).events == EVENTS


async def test_streams_take_turns_and_are_whole(make_database: Callable[[], str]) -> None:
    url = make_database()
    await fill(url, EVENTS, STREAMS)
    async with ours.opened(url) as backend:
        seen = [event.stream_id async for event in backend.event_store.read_all()]
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select id, version from eventsourcing.streams")
    await connection.close()
    assert len(set(seen[:STREAMS])) == STREAMS
    assert {row["id"]: row["version"] for row in rows} == Counter(seen)


async def test_the_bare_driver_counts_every_event(make_database: Callable[[], str]) -> None:
    url = make_database()
    await fill(url, EVENTS, STREAMS)
    figures = await bare.count_all(url, page=100)
    connection = await asyncpg.connect(url)
    counted = await connection.fetchval("select sum(events) from bare_counts")
    await connection.close()
    assert figures.events == counted == EVENTS


@pytest.mark.parametrize("name", ["count-view", "count-by-page", "count-one-by-one"])
def test_ours_counts_every_event(filled: tuple[str, int], name: str) -> None:
    url, last = filled
    assert ours.catch_up(url, name, last, patience=30).events == EVENTS


def test_the_peer_counts_every_event(make_database: Callable[[], str]) -> None:
    assert pyeventsourcing.catch_up(make_database(), 200).events == 200
