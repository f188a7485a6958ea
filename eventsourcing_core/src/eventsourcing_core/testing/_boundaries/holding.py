"""Holding tags: one task at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, let_others_run, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore


class HoldContract(Chapter, needs=("holding",)):
    """Turns at a tag."""

    async def test_one_task_at_a_time_holds_a_tag(self, store: StorageEventStore) -> None:
        inside = 0

        async def take_turns() -> None:
            nonlocal inside
            for turn in range(3):
                async with store.hold("course:1"):
                    inside += 1
                    await let_others_run(turn)
                    assert inside == 1
                    inside -= 1

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*[take_turns() for _ in range(5)])

    async def test_tags_are_held_beside_each_other(self, store: StorageEventStore) -> None:
        async with (
            asyncio.timeout(self.deadline),
            store.hold("course:1"),
            store.hold("course:2"),
        ):
            pass

    async def test_tags_in_any_order_are_held_without_a_circle(
        self, store: StorageEventStore
    ) -> None:
        async def take_turns(*tags: str) -> None:
            for turn in range(3):
                async with store.hold(*tags):
                    await let_others_run(turn)

        async with asyncio.timeout(self.deadline):
            await asyncio.gather(
                take_turns("a", "b"), take_turns("b", "a"), take_turns("c", "b", "a")
            )

    async def test_a_tag_is_free_after_an_error(self, store: StorageEventStore) -> None:
        with pytest.raises(ZeroDivisionError):
            async with store.hold("course:1"):
                raise ZeroDivisionError
        async with asyncio.timeout(self.deadline), store.hold("course:1"):
            pass

    async def test_a_tag_is_free_after_its_waiter_was_cancelled(
        self, store: StorageEventStore
    ) -> None:
        async def wait() -> None:
            async with store.hold("course:1"):
                pass

        async with asyncio.timeout(self.deadline):
            async with store.hold("course:1"):
                waiting = asyncio.create_task(wait())
                await let_others_run(7)
                waiting.cancel()
                await asyncio.wait({waiting})
            await wait()

    async def test_a_task_that_holds_a_tag_is_refused_it(self, store: StorageEventStore) -> None:
        async with asyncio.timeout(self.deadline), store.hold("course:1"):
            with pytest.raises(RuntimeError, match="holds"):
                async with store.hold("course:1"):
                    pass

    async def test_events_can_be_appended_while_a_tag_is_held(
        self, store: StorageEventStore
    ) -> None:
        async with asyncio.timeout(self.deadline), store.hold("course:1"):
            await store.append("s", counted(1), expected_version=0)
            assert numbers_of(await collected(store.read_all())) == [1]
