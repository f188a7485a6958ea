"""Commands with an id are stored once, whoever repeats them, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Repository, StorageEventStore, open_backend
from tests.core._storages import Forgetful
from tests.every_store._ledger import Booked, Ledger, state, types

if TYPE_CHECKING:
    from eventsourcing_core import Backend


async def book(ledgers: Repository[Ledger], command_id: str, *amounts: int) -> Ledger:
    changes = [Booked("a", Decimal(amount)) for amount in amounts]
    return await ledgers.update(
        "1", lambda ledger: ledger.record(changes), attempts=50, command_id=command_id
    )


async def amounts(backend: Backend) -> list[int]:
    return [int(event.data.amount) async for event in backend.event_store.read("Ledger-1")]


@pytest.mark.parametrize("frequency", [None, 1, 3])
async def test_a_repeated_command_is_stored_once(store_url: str, frequency: int | None) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        ledgers = backend.repository(Ledger, snapshot_frequency=frequency)
        await book(ledgers, "c-1", 1, 2)
        await book(ledgers, "c-2", 3)
        again = await book(ledgers, "c-1", 1, 2)
        assert await amounts(backend) == [1, 2, 3]
        assert state(again) == state(await backend.repository(Ledger).load("1"))
    async with open_backend(store_url, event_types=types) as backend:  # after a restart
        await book(backend.repository(Ledger, snapshot_frequency=frequency), "c-1", 1, 2)
        assert await amounts(backend) == [1, 2, 3]


async def test_commands_that_several_processes_repeat_at_once_are_each_stored_once(
    store_url: str,
) -> None:
    async with (
        asyncio.timeout(60),
        open_backend(store_url, event_types=types) as backend,
        open_backend(store_url, event_types=types) as other,
    ):
        repositories = [each.repository(Ledger, snapshot_frequency=2) for each in (backend, other)]
        await asyncio.gather(
            *(
                book(ledgers, f"c-{number}", number, number)
                for number in range(6)
                for ledgers in repositories
            )
        )
        stored = await amounts(backend)
        assert sorted(stored) == sorted([*range(6), *range(6)])
        assert stored[::2] == stored[1::2]


async def test_a_command_whose_answer_was_lost_has_succeeded(store_url: str) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        parts = backend.event_store._parts
        assert parts.storage is not None
        forgetful = Forgetful(parts.storage)
        store = StorageEventStore(replace(parts, storage=forgetful), backend.codec)
        ledger = await book(Repository(store, Ledger), "c-1", 1)
        assert forgetful.faults == 0
        assert ledger.total == 1
        assert await amounts(backend) == [1]
