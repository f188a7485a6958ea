"""What is wrong with these stores' waits, the contract sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing._machine.machine import MachineContract
from eventsourcing_core.testing._reads.wait import WaitContract
from eventsourcing_core.testing._store.lifetime import LifetimeContract
from tests.contracts._broken import BrokenStorage, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Parts, Row
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog


class Broken(BrokenStorage):
    """A fault is another way to wait."""


class NeverWakes(Broken):
    caught_by = (
        "test_a_wait_for_what_is_there_is_over_at_once",
        "test_an_append_wakes_who_waits",
        "test_an_append_wakes_all_who_wait",
        "test_who_waits_is_woken_again_and_again",
        "test_a_cancelled_wait_leaves_the_others_waiting",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await asyncio.sleep(timeout)
        return await super().wait(after_position=after_position, timeout=0)


class DoesNotSleep(Broken):
    caught_by = (
        "test_a_wait_in_vain_takes_its_time_and_says_so",
        "test_an_append_wakes_who_waits",
        "test_a_cancelled_wait_leaves_the_others_waiting",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ARG002, ASYNC109 - the fault, and the port's word
        return await super().wait(after_position=after_position, timeout=0)


class AlwaysTrue(Broken):
    caught_by = (
        "test_a_wait_in_vain_takes_its_time_and_says_so",
        "test_a_wait_without_time_is_over_at_once",
        "test_a_wait_after_the_last_event_sleeps",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await super().wait(after_position=after_position, timeout=timeout)
        return True


class AlwaysFalse(Broken):
    caught_by = (
        "test_a_wait_for_what_is_there_is_over_at_once",
        "test_an_append_wakes_who_waits",
        "test_a_store_does_what_the_model_does",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await super().wait(after_position=after_position, timeout=timeout)
        return False


class PositionInclusive(Broken):
    caught_by = (
        "test_a_wait_after_the_last_event_sleeps",
        "test_an_append_wakes_who_waits",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        position = max(0, after_position - 1)
        return await super().wait(after_position=position, timeout=timeout)


class ZeroIsForEver(Broken):
    caught_by = (
        "test_a_wait_without_time_is_over_at_once",
        "test_a_store_does_what_the_model_does",
    )

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await asyncio.sleep(0 if timeout else 3600)
        return await super().wait(after_position=after_position, timeout=timeout)


class AheadSleeps(Broken):
    caught_by = ("test_a_wait_ahead_of_the_store_is_told_at_once",)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        there = min(after_position, len(self.log.rows))
        return await super().wait(after_position=there, timeout=timeout)


class Counted(Broken):
    """A fault wakes only some of those who wait."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.waiting: list[asyncio.Event] = []

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        if len(self.log.rows) > after_position:
            return True
        woken = asyncio.Event()
        self.waiting.append(woken)
        try:
            async with asyncio.timeout(timeout):
                await woken.wait()
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            self.cancelled()
            raise
        return True

    def add(self, rows: Sequence[Row]) -> None:
        super().add(rows)
        self.wake()
        self.waiting.clear()

    def wake(self) -> None:
        for woken in self.waiting:
            woken.set()

    def cancelled(self) -> None:
        """Do nothing else about it."""


class WakesOne(Counted):
    caught_by = ("test_an_append_wakes_all_who_wait",)

    def wake(self) -> None:
        for woken in self.waiting[:1]:
            woken.set()


class WakesOnce(Counted):
    caught_by = ("test_who_waits_is_woken_again_and_again",)

    def wake(self) -> None:
        if len(self.log.rows) <= 1:
            super().wake()


class ForgetsTheOthers(Counted):
    caught_by = ("test_a_cancelled_wait_leaves_the_others_waiting",)

    def cancelled(self) -> None:
        self.waiting.clear()


class CannotBeCancelled(Broken):
    caught_by = ("test_closing_ends_readers_that_wait",)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        waiting = asyncio.ensure_future(
            super().wait(after_position=after_position, timeout=self.limited(timeout))
        )
        while not waiting.done():
            try:
                await asyncio.wait({waiting})
            except asyncio.CancelledError:
                continue
        return waiting.result()

    def limited(self, timeout: float) -> float:
        return min(timeout, 2 * TestBrokenWaits.deadline)


class NotNewEachTime(Broken):
    caught_by = ("test_each_opened_store_is_new_and_empty",)

    first: Parts | None = None

    @classmethod
    def parts(cls) -> Parts:
        cls.first = cls.first or super().parts()
        return cls.first


class TestBrokenWaits(WaitContract, LifetimeContract, MachineContract):
    faults = (*Broken.__subclasses__(), *Counted.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
