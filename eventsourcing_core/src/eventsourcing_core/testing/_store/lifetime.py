"""A backend is new each time it is opened, and can be closed while readers wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import StorageError
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted

if TYPE_CHECKING:
    from eventsourcing_core.testing._contract import OpenStore


class LifetimeContract(Chapter):
    """Opening and closing."""

    async def test_each_opened_store_is_new_and_empty(self, open_store: OpenStore) -> None:
        async with open_store(EventCodec()) as first:
            await first.append("doc-1", counted(1), expected_version=0)
            async with open_store(EventCodec()) as second:
                assert await collected(second.read_all()) == []
        async with open_store(EventCodec()) as third:
            assert (await third.append("doc-1", counted(1), expected_version=0)).version == 1

    async def test_closing_ends_readers_that_wait(self, open_store: OpenStore) -> None:
        far = 10 * self.deadline
        async with asyncio.timeout(self.deadline):
            async with open_store(EventCodec()) as store:
                waiting = [
                    asyncio.create_task(store.wait(after_position=0, timeout=far)) for _ in range(5)
                ]
                for _ in range(20):
                    await asyncio.sleep(0)
            ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in ended] == [StorageError] * 5
