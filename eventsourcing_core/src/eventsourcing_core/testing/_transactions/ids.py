"""Event ids that are taken, in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import DuplicateEventError
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore


class TransactionIdContract(Chapter, needs=("transactions", Guarantee.UNIQUE_EVENT_IDS)):
    """Ids that were stored before, and ids of the same transaction."""

    async def test_a_duplicate_leaves_a_transaction_usable(self, store: StorageEventStore) -> None:
        taken = counted(1)
        await store.append("other", taken, expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("a", counted(2), expected_version=0)
            with pytest.raises(DuplicateEventError) as caught:
                await transaction.append("b", [*counted(3), *taken], expected_version=0)
            assert (caught.value.stream_id, caught.value.version) == ("other", 1)
            await transaction.append("b", counted(4), expected_version=0)
        assert numbers_of(await collected(store.read_all())) == [1, 2, 4]

    async def test_an_id_of_the_same_transaction_is_a_duplicate(
        self, store: StorageEventStore
    ) -> None:
        events = counted(1)
        async with store.transaction() as transaction:
            await transaction.append("a", events, expected_version=0)
            with pytest.raises(DuplicateEventError):
                await transaction.append("b", events, expected_version=0)
        assert numbers_of(await collected(store.read_all())) == [1]

    async def test_ids_of_a_transaction_that_was_undone_are_free(
        self, store: StorageEventStore
    ) -> None:
        events = counted(1)

        async def write_twice() -> None:
            async with store.transaction() as transaction:
                await transaction.append("a", events, expected_version=0)
                await transaction.append("b", events, expected_version=0)

        with pytest.raises(DuplicateEventError):
            await write_twice()
        assert (await store.append("b", events, expected_version=0)).version == 1
