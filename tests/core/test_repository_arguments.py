"""What repositories and their parts are given by mistake: it is named when they are called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Aggregate,
    EventCodec,
    Repository,
    SlowLoad,
    StorageError,
    StorageEventStore,
    caused_by,
)
from eventsourcing_core.stores import Guarantee
from eventsourcing_inmemory import InMemorySnapshotStore
from eventsourcing_inmemory._backend import parts_of
from eventsourcing_inmemory._log import EventLog
from tests.core._tills import Till, types

if TYPE_CHECKING:
    from tests.core._banks import Bank
    from tests.core._tills import Shelf

NO_NUMBERS = (True, "1", 1.0, object())


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_versions_and_attempts_are_whole_numbers(
    tills: Repository[Till], number: Any
) -> None:
    with pytest.raises(TypeError, match="at_version must be an int, got"):
        await tills.load("1", at_version=number)
    with pytest.raises(TypeError, match="attempts must be an int, got"):
        await tills.update("1", lambda till: till.sell(1), attempts=number)
    assert not await tills.exists("1")


@pytest.mark.parametrize("attempts", [0, -1])
async def test_at_least_one_attempt_is_made(tills: Repository[Till], attempts: int) -> None:
    with pytest.raises(ValueError, match="attempts must be 1 or more"):
        await tills.update("1", lambda till: till.sell(1), attempts=attempts)


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_the_numbers_of_a_snapshot_store_are_whole(number: Any) -> None:
    snapshots = InMemorySnapshotStore()
    with pytest.raises(TypeError, match="max_version must be an int, got"):
        await snapshots.load("Till-1", max_version=number)
    with pytest.raises(TypeError, match="keep must be an int, got"):
        await snapshots.prune("Till-1", keep=number)


@pytest.mark.parametrize("transaction", [True, "yes", object()])
async def test_a_transaction_is_one(bank: Bank, transaction: Any) -> None:
    for question in (bank.tills.load, bank.tills.get, bank.tills.exists):
        with pytest.raises(TypeError, match=r"transaction is what backend\.transaction\(\) gives"):
            await question("1", transaction=transaction)
    till = Till("1")
    till.sell(1)
    with pytest.raises(TypeError, match=r"transaction is what backend\.transaction\(\) gives"):
        await bank.tills.save(till, transaction=transaction)
    assert await bank.stored() == []


@pytest.mark.parametrize("aggregate", [None, "1", object()])
async def test_the_place_of_something_else_is_not_asked_for(
    tills: Repository[Till], aggregate: Any
) -> None:
    with pytest.raises(TypeError, match="this repository keeps Till, got"):
        tills.saved(aggregate)


@pytest.mark.parametrize("given", [None, True, 1, "gzip"])
def test_transformers_are_a_list(given: Any, bank: Bank, shelf: Shelf) -> None:
    with pytest.raises(TypeError, match="transformers is a list"):
        EventCodec(transformers=given)
    with pytest.raises(TypeError, match="transformers is a list"):
        Repository(bank.store, Till, snapshot_store=shelf, transformers=given)


@pytest.mark.parametrize("number", [None, True, "1", 1.0])
def test_a_size_is_a_whole_number(number: Any) -> None:
    with pytest.raises(TypeError, match="max_event_bytes must be an int, got"):
        EventCodec(max_event_bytes=number)


@pytest.mark.parametrize("seconds", [None, True, "1"])
def test_a_slow_load_takes_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(TypeError, match="seconds must be a number of seconds, got"):
        SlowLoad(seconds)


@pytest.mark.parametrize("given", [None, "1", Aggregate])
def test_what_is_no_event_causes_none(given: Any) -> None:
    with pytest.raises(TypeError, match="caused_by takes an event, got"):
        caused_by(given)


async def test_a_command_with_an_id_needs_unique_event_ids() -> None:
    parts = replace(
        parts_of(EventLog()), guarantees=frozenset(Guarantee) - {Guarantee.UNIQUE_EVENT_IDS}
    )
    async with StorageEventStore(parts, EventCodec(event_types=types)) as store:
        tills = Repository(store, Till)
        with pytest.raises(StorageError, match="does not promise that an event id occurs once"):
            await tills.update("1", lambda till: till.sell(1), command_id="sale-1")
        assert await store.stream_version("Till-1") == 0
        assert (await tills.update("1", lambda till: till.sell(1))).version == 1


async def test_what_cannot_be_called_is_no_command(tills: Repository[Till]) -> None:
    command: Any = "sell"
    with pytest.raises(TypeError, match="update takes a function of the aggregate, got 'sell'"):
        await tills.update("1", command)
