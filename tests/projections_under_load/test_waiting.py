"""What waits for projections on a busy machine comes to its end, and only then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.projections_under_load import _waiting
from tests.projections_under_load._waiting import at_last, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def may_go_on() -> AsyncIterator[asyncio.Event]:
    event = asyncio.Event()
    event.set()
    yield event
    assert event.is_set(), "all go on afterwards"


async def test_what_others_keep_from_being_done_is_done_while_they_rest(
    may_go_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waiting, "PATIENCE", 0)

    async def others_rest() -> bool:
        return not may_go_on.is_set()

    await at_last(lambda: until(others_rest), may_go_on)


async def test_nobody_rests_for_what_is_done_soon(may_go_on: asyncio.Event) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        assert may_go_on.is_set()

    await at_last(work, may_go_on)


async def test_others_go_on_though_it_fails(
    may_go_on: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waiting, "PATIENCE", 0)

    async def work() -> None:
        if not may_go_on.is_set():
            raise LookupError
        await asyncio.Event().wait()

    with pytest.raises(LookupError):
        await at_last(work, may_go_on)


async def test_what_comes_nearer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "DEADLINE", 0.05)  # shorter than all the looks together
    looks = 0

    async def is_there() -> bool:
        nonlocal looks
        looks += 1
        return looks > 10

    async def progress() -> int:
        monkeypatch.setattr(_waiting, "DEADLINE", 10)  # it begins anew from here on
        return looks

    await until(is_there, progress)
    assert looks > 10


async def test_what_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "DEADLINE", 0.1)

    async def never() -> bool:
        return False

    with pytest.raises(TimeoutError):
        await until(never, never)
