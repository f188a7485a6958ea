"""Waiting for events: what readers that follow the log sleep on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import HistoryChangedError
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._reads.read import FAR
from eventsourcing_core.testing._samples import counted

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore

_BRIEF = 0.05
"""Seconds: a wait that is meant to be in vain."""


class WaitContract(Chapter):
    """Waits that end at once, soon, or at the timeout."""

    async def test_a_wait_for_what_is_there_is_over_at_once(self, store: EventStore) -> None:
        first = await store.append("doc-1", counted(1), expected_version=0)
        last = await store.append("other", counted(2, 3), expected_version=0)
        async with asyncio.timeout(self.deadline):
            for position in (0, first.position, last.position - 1):
                assert await store.wait(after_position=position, timeout=self.deadline * 10)
                assert await store.wait(after_position=position, timeout=0)

    async def test_a_wait_in_vain_takes_its_time_and_says_so(self, store: EventStore) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await store.wait(after_position=0, timeout=_BRIEF) is False
        assert _BRIEF * 0.9 < loop.time() - begun < self.deadline

    async def test_a_wait_without_time_is_over_at_once(self, store: EventStore) -> None:
        async with asyncio.timeout(self.deadline):
            assert await store.wait(after_position=0, timeout=0) is False

    async def test_a_wait_after_the_last_event_sleeps(self, store: EventStore) -> None:
        result = await store.append("doc-1", counted(1, 2), expected_version=0)
        answers = [
            # The first may be early, for the sake of the append just made.
            await store.wait(after_position=result.position, timeout=_BRIEF),
            await store.wait(after_position=result.position, timeout=_BRIEF),
        ]
        assert answers[1:] == [False]

    @pytest.mark.parametrize("distance", [1, 1000, *FAR])
    async def test_a_wait_ahead_of_the_store_is_told_at_once(
        self, store: EventStore, distance: int
    ) -> None:
        result = await store.append("doc-1", counted(1, 2), expected_version=0)
        async with asyncio.timeout(self.deadline):
            with pytest.raises(HistoryChangedError):
                await store.wait(
                    after_position=result.position + distance, timeout=self.deadline * 10
                )

    async def test_an_append_wakes_who_waits(self, store: EventStore) -> None:
        before = await store.append("doc-1", counted(1), expected_version=0)
        waiting = self._waiting(store, before.position)
        await self._let_run()
        assert not waiting.done()
        await store.append("other", counted(2), expected_version=0)
        async with asyncio.timeout(self.deadline):
            assert await waiting

    async def test_an_append_wakes_all_who_wait(self, store: EventStore) -> None:
        waiting = [self._waiting(store, 0) for _ in range(20)]
        await self._let_run()
        await store.append("doc-1", counted(1), expected_version=0)
        async with asyncio.timeout(self.deadline):
            assert await asyncio.gather(*waiting) == [True] * 20

    async def test_who_waits_is_woken_again_and_again(self, store: EventStore) -> None:
        position = 0
        for number in range(10):
            waiting = self._waiting(store, position)
            await self._let_run()
            position = (await store.append("doc-1", counted(number), expected_version=ANY)).position
            async with asyncio.timeout(self.deadline):
                assert await waiting

    async def test_a_cancelled_wait_leaves_the_others_waiting(self, store: EventStore) -> None:
        cancelled, other = self._waiting(store, 0), self._waiting(store, 0)
        await self._let_run()
        cancelled.cancel()
        await asyncio.wait({cancelled}, timeout=self.deadline)
        assert cancelled.cancelled()
        assert not other.done()
        await store.append("doc-1", counted(1), expected_version=0)
        async with asyncio.timeout(self.deadline):
            assert await other

    def _waiting(self, store: EventStore, position: int) -> asyncio.Task[bool]:
        return asyncio.create_task(
            store.wait(after_position=position, timeout=self.deadline * 10),
        )

    @staticmethod
    async def _let_run() -> None:
        """Give tasks turns to begin; one that begins later finds the event, which is right too."""
        for _ in range(20):
            await asyncio.sleep(0)
