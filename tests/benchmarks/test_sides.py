"""Each side of the comparison does what the tables say that it does."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benchmarks.peers.servers import Servers
from benchmarks.peers.side import Conflict
from benchmarks.peers.sides import HOT, SIDES, Ability, Listed, able
from benchmarks.peers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 4


@pytest.fixture
def side(request: pytest.FixtureRequest, server_url: str) -> Iterator[Worker]:
    """Open a side on an empty place, in this process."""
    listed: Listed = request.param
    module, _, attribute = listed.place.partition(":")
    made = getattr(import_module(f"benchmarks.peers.sides.{module}"), attribute)
    with Servers(server_url).place(listed) as url, asyncio.Runner() as runner:
        worker = Worker(made(url, CONNECTIONS), lambda _: None, runner)
        worker.do("open")
        yield worker
        worker.do("close")


def sides(*abilities: Ability, but: str = "") -> pytest.MarkDecorator:
    """Run a test with each side that can do these, but for one."""
    found = [one for one in able(SIDES, *abilities) if one.name != but]
    return pytest.mark.parametrize("side", found, indirect=True, ids=[one.name for one in found])


@sides(Ability.RACE, but=HOT)  # which knows by itself where the stream is
def test_an_append_that_expects_a_stale_version_is_a_conflict(side: Worker) -> None:
    stream = uuid4()
    side.do("append", stream, 0, 1)
    with pytest.raises(Conflict):
        side.do("append", stream, 0, 1)


@sides(Ability.RACE)
def test_what_an_append_gives_is_what_the_next_one_expects(side: Worker) -> None:
    stream = uuid4()
    at = side.do("append", stream, 0, 2)
    after = side.do("append", stream, at, 1)
    assert side.do("last", stream) == after != at


@sides(Ability.RACE)
def test_the_last_place_of_a_stream_is_what_its_append_gave(side: Worker) -> None:
    stream = uuid4()
    assert side.do("last", stream) == 0
    assert side.do("append", stream, 0, 3) == side.do("last", stream)


@sides(Ability.LOAD)
def test_an_aggregate_loads_with_all_its_deposits(side: Worker) -> None:
    assert side.do("load", side.do("seed", 25)) == 25


@sides(Ability.SNAPSHOT)
def test_an_aggregate_loads_by_a_snapshot_with_all_its_deposits(side: Worker) -> None:
    key = side.do("seed", 25)
    side.do("take_snapshot", key)
    assert side.do("load_snapshot", key) == 25


@sides(Ability.READ)
def test_all_events_that_were_filled_in_are_read(side: Worker) -> None:
    side.do("fill", 200)
    assert side.do("read_all", 1_000) == 200


@sides(Ability.READ)
def test_a_page_holds_what_came_after_a_position(side: Worker) -> None:
    side.do("fill", 200)
    position = side.do("end")
    side.do("append", uuid4(), 0, 3)
    assert side.do("page", position, 100) == (3, side.do("end"))


@sides(Ability.READ, Ability.APPEND)
def test_a_round_counts_every_append(side: Worker) -> None:
    figures = side.append(tasks=4, events=2, seconds=0.05)
    assert side.do("read_all", 100_000) == figures["appends"] * 2
