"""Transactions that are used wrongly: a clear error, and the connection is given back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core.testing._contract import OpenStore

METHODS = ("append", "read", "read_pages", "stream_version", "connection")
_TIMES = 15
"""More often than a pool has connections."""


async def use(transaction: Transaction, method: str) -> object:
    """Use a transaction in one way."""
    match method:
        case "append":
            return await transaction.append("wrong", counted(1), expected_version=0)
        case "read":
            return await collected(transaction.read("a"))
        case "read_pages":
            return [page async for page in transaction.read_pages("a")]
        case "stream_version":
            return await transaction.stream_version("a")
        case _:
            return transaction.connection


class TransactionMisuseContract(Chapter, needs=("transactions",)):
    """Each of these is refused, and everything works on."""

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_transaction_is_refused_after_its_end(
        self, store: StorageEventStore, method: str
    ) -> None:
        for _ in range(_TIMES):
            async with store.transaction() as ended:
                pass
            with pytest.raises(RuntimeError, match="ended"):
                await use(ended, method)
        await self._works_on(store)

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_transaction_is_refused_in_another_task(
        self, store: StorageEventStore, method: str
    ) -> None:
        async def hand_over() -> None:
            async with store.transaction() as transaction:
                await asyncio.create_task(use(transaction, method))

        for _ in range(_TIMES):
            with pytest.raises(RuntimeError, match="task"):
                await hand_over()
        await self._works_on(store)

    async def test_a_transaction_is_refused_in_itself(self, store: StorageEventStore) -> None:
        async def nest() -> None:
            async with store.transaction() as transaction:
                await transaction.append("wrong", counted(1), expected_version=0)
                async with store.transaction():
                    pytest.fail("a transaction was opened in itself")

        for _ in range(_TIMES):
            with pytest.raises(RuntimeError, match="transaction"):
                await nest()
        await self._works_on(store)

    async def test_the_store_is_refused_to_a_task_with_a_transaction(
        self, store: StorageEventStore
    ) -> None:
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1), expected_version=0)
            with pytest.raises(RuntimeError, match="transaction"):
                await store.append("wrong", counted(2), expected_version=0)
            with pytest.raises(RuntimeError, match="transaction"):
                store.read("a")
            await transaction.append("a", counted(3), expected_version=1)
        assert numbers_of(await collected(store.read_all())) == [1, 3]

    async def test_a_transaction_of_another_store_is_refused(
        self, store: StorageEventStore, open_store: OpenStore
    ) -> None:
        async def mix(other: StorageEventStore) -> None:
            async with store.transaction() as transaction:
                transaction.check_is_of(store)
                transaction.check_is_of(other)

        async with open_store(EventCodec()) as other:
            for _ in range(_TIMES):
                with pytest.raises(ValueError, match="another backend"):
                    await mix(other)
        await self._works_on(store)

    async def _works_on(self, store: StorageEventStore) -> None:
        async with asyncio.timeout(self.deadline):
            async with store.transaction() as transaction:
                await transaction.append("right", counted(7), expected_version=0)
            assert numbers_of(await collected(store.read_all())) == [7]
            assert (await store.append("right", counted(8), expected_version=1)).version == 2
