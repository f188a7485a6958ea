"""What is wrong with these stores' waits, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core.testing._event_store_machine import EventStoreMachineContract
from eventsourcing_core.testing._wait_contract import WaitContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import AppendResult, Event, EventCodec
    from eventsourcing_core.testing import OpenEventStore


class Broken(InMemoryEventStore):
    """A fault is another way to wait."""

    caught_by: ClassVar[tuple[str, ...]] = ()


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


class WakesOne(Broken):
    caught_by = ("test_an_append_wakes_all_who_wait",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        self._log.waiting.intersection_update(list(self._log.waiting)[:1])
        return await super().append(stream_id, events, expected_version=expected_version)


class WakesOnce(Broken):
    caught_by = ("test_who_waits_is_woken_again_and_again",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if self._log.rows:
            self._log.waiting.clear()
        return await super().append(stream_id, events, expected_version=expected_version)


class ForgetsTheOthers(Broken):
    caught_by = ("test_a_cancelled_wait_leaves_the_others_waiting",)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        try:
            return await super().wait(after_position=after_position, timeout=timeout)
        except asyncio.CancelledError:
            self._log.waiting.clear()
            raise


class TestBrokenWaits(WaitContract, EventStoreMachineContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
