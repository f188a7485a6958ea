"""A decider and an aggregate of one domain record equal events, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from operator import methodcaller
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsourcing_core import Event, open_backend, recording_metadata
from eventsourcing_core.testing import given as given_events
from tests.every_store._stocks import (
    NotEnoughError,
    Receive,
    Received,
    SoldOut,
    Stock,
    StockAggregate,
    StockCommand,
    Take,
    Taken,
    commands,
    stocks,
    types,
)

if TYPE_CHECKING:
    from eventsourcing_core import Backend, DeciderRepository
    from tests.every_store._stocks import State, StockEvent

    Stocks = DeciderRepository[StockCommand, StockEvent, State]

_ids = count(1)

SHARED = settings(
    max_examples=25,
    deadline=None,
    # The file and the database are shared by the examples: each has a stock of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# A step is one command, or several at once; each by one of three repositories.
steps = st.lists(
    st.lists(st.tuples(st.integers(0, 2), commands), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


async def outcome_of(repository: Stocks, id: str, command: StockCommand) -> bool:  # noqa: A002 - the word of the domain
    """Tell whether a command was obeyed."""
    try:
        decided = await repository.decide(id, command, attempts=100, command_id=command.tag)
    except NotEnoughError:
        return False
    assert decided.pending_events == ()
    return True


async def payloads(backend: Backend, stream_id: str) -> list[StockEvent]:
    return [event.data async for event in backend.event_store.read(stream_id)]


@given(given_commands=st.lists(commands))
def test_a_decider_and_an_aggregate_record_equal_events_and_refuse_the_same(
    given_commands: list[StockCommand],
) -> None:
    history: list[StockEvent] = []
    for command in given_commands:
        theirs = StockAggregate.from_events(
            "1", [Event.of(event, event_types=types) for event in history]
        )
        outcome = given_events(stocks, *history).when(command)
        try:
            theirs.obey(command)
        except NotEnoughError:
            outcome.then_raises(NotEnoughError)
        else:
            recorded = [event.data for event in theirs.pending_events]
            outcome.then(*recorded).then_state(theirs.as_state())
            history += recorded


@SHARED
@given(steps=steps, frequency=st.integers(1, 5), serializer=st.sampled_from(["json", "msgpack"]))
async def test_under_conflicts_with_snapshots_and_a_cache_the_histories_are_equal(
    store_url: str,
    steps: list[list[tuple[int, StockCommand]]],
    frequency: int,
    serializer: str,
) -> None:
    id_ = str(next(_ids))
    async with open_backend(store_url, serializer=serializer, event_types=types) as backend:
        repositories = [
            backend.repository(stocks, snapshot_frequency=None),
            backend.repository(stocks, snapshot_frequency=frequency),
            backend.repository(stocks, snapshot_frequency=frequency, cache=2),
        ]
        obeyed: dict[str, bool] = {}
        given_commands: dict[str, StockCommand] = {}
        numbers = count(1)
        for untagged in steps:
            step = [(who, replace(each, tag=str(next(numbers)))) for who, each in untagged]
            outcomes = await asyncio.gather(
                *(outcome_of(repositories[who], id_, command) for who, command in step)
            )
            for (_, command), outcome in zip(step, outcomes, strict=True):
                obeyed[command.tag], given_commands[command.tag] = outcome, command
        stored = await payloads(backend, f"stock-{id_}")

        # Whatever the order in which they came to be: the aggregate, asked in it, does the same.
        aggregates = backend.repository(StockAggregate, snapshot_frequency=frequency)
        done = list(dict.fromkeys(event.tag for event in stored))
        for tag in done:
            command = given_commands[tag]
            await aggregates.update(id_, methodcaller("obey", command))
        assert await payloads(backend, f"StockAggregate-{id_}") == stored
        assert all(obeyed[tag] for tag in done)
        silent = [tag for tag in obeyed if obeyed[tag] and tag not in done]
        assert all(given_commands[tag] == Receive(tag, 0) for tag in silent)

        expected = (await aggregates.load(id_)).as_state()
        for repository in repositories:
            loaded = await repository.load(id_)
            assert (loaded.state, loaded.version) == (expected, len(stored))
            assert loaded.state == (await repository.load(id_)).state
        for repository in repositories[1:]:
            report = await repository.verify(id_)
            assert report.is_right or report.reason == "there is no snapshot"


@pytest.mark.parametrize("cache", [None, 10])
async def test_a_command_that_is_repeated_is_stored_once(store_url: str, cache: int | None) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        repository = backend.repository(stocks, snapshot_frequency=1, cache=cache)
        await repository.decide("1", Receive("r", 2), command_id="c-1")
        await repository.decide("1", Take("t", 2), command_id="c-2")
        again = await repository.decide("1", Take("t", 2), command_id="c-2")  # refused without it
        assert again.state == Stock(0, ("r", "t"), is_sold_out=True)
        assert await payloads(backend, "stock-1") == [
            Received("r", 2),
            Taken("t", 2),
            SoldOut("t"),
        ]
    async with open_backend(store_url, event_types=types) as backend:  # after a restart
        again = await backend.repository(stocks).decide("1", Take("t", 2), command_id="c-2")
        assert (again.version, again.state) == (3, Stock(0, ("r", "t"), is_sold_out=True))


async def test_in_a_transaction_all_is_stored_or_nothing(store_url: str) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        repository = backend.repository(stocks, snapshot_frequency=1)
        await repository.decide("a", Receive("r", 2))

        async def move(count: int) -> None:
            async with backend.transaction() as transaction:
                target = await repository.load("b", transaction=transaction)
                target.decide(Receive("m", count))
                await repository.save(target, transaction=transaction)
                source = await repository.get("a", transaction=transaction)
                source.decide(Take("m", count))
                await repository.save(source, transaction=transaction)

        with pytest.raises(NotEnoughError):
            await move(3)
        assert not await repository.exists("b")
        await move(1)
        assert (await repository.get("a")).state == Stock(1, ("r", "m"))
        assert (await repository.get("b")).state == Stock(1, ("m",))


@pytest.mark.parametrize("cache", [None, 10])
async def test_events_bear_the_metadata_of_who_decides(store_url: str, cache: int | None) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        repository = backend.repository(stocks, cache=cache)
        with recording_metadata(user="Ada"):
            await repository.decide("1", Receive("r", 2))
        stored = [event async for event in backend.event_store.read("stock-1")]
        assert [event.metadata["user"] for event in stored] == ["Ada"]
