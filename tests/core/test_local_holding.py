"""Tags that are held within a process: nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from eventsourcing_core.stores import LocalHolding, StorageError


async def test_who_waits_too_long_for_a_tag_of_another_task_is_told_so() -> None:
    holding = LocalHolding(max_wait=0.01)

    async def hold() -> None:
        async with holding.hold("a"):
            pass

    async with holding.hold("a"):
        waits = asyncio.create_task(hold())
        await asyncio.wait({waits})
        with pytest.raises(StorageError, match="have held the tag 'a' for 0.01 seconds"):
            waits.result()
    await hold()
