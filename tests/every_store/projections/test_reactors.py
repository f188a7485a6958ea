"""Reactors: in order, at least once, from where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event
from tests.every_store.projections._shop import (
    DEADLINE,
    Mailer,
    Placed,
    Shipped,
    append,
    opened,
    until,
)
from tests.every_store.projections.test_parked_keys import store_raw

if TYPE_CHECKING:
    from eventsourcing_core import AppendResult


async def test_a_reactor_is_given_each_event_in_order(store_url: str) -> None:
    mailer = Mailer()
    async with opened(store_url) as backend, backend.projector([mailer]) as projector:
        last: AppendResult | int = 0
        for number in range(100):
            last = await append(backend, f"o-{number % 3}", Placed("a"), Shipped("a"))
        await projector.wait_for(last, "mailer", timeout=DEADLINE)
        assert len(mailer.seen) == len(set(mailer.seen)) == 100
        for stream_id in ("o-0", "o-1", "o-2"):
            versions = [version for stream, version in mailer.seen if stream == stream_id]
            assert versions == sorted(versions)


async def test_one_that_begins_now_is_not_given_what_was_before(store_url: str) -> None:
    class FromNow(Mailer):
        name = "from-now"
        start = "now"

    mailer = FromNow()
    async with opened(store_url) as backend:
        await append(backend, "old", Placed("a"))
        async with backend.projector([mailer]) as projector:
            last = await append(backend, "new", Placed("a"))
            await projector.wait_for(last, "from-now", timeout=DEADLINE)
        await append(backend, "meanwhile", Placed("a"))
        async with backend.projector([mailer]) as projector:
            last = await append(backend, "later", Placed("a"))
            await projector.wait_for(last, "from-now", timeout=DEADLINE)
    assert [stream for stream, _ in mailer.seen] == ["new", "meanwhile", "later"]


async def test_what_fails_is_tried_again_and_its_stream_keeps_its_order(store_url: str) -> None:
    mailer = Mailer()
    mailer.failures["o-1"] = 2
    async with (
        opened(store_url) as backend,
        backend.projector([mailer], retry_pause=0.01) as projector,
    ):
        last: AppendResult | int = 0
        for _ in range(3):
            for stream_id in ("o-0", "o-1"):
                last = await append(backend, stream_id, Placed("a"))
        await projector.wait_for(last, "mailer", timeout=DEADLINE)

        async def is_done() -> bool:
            return not await projector.parked("mailer")

        await until(is_done)
    assert [version for stream, version in mailer.seen if stream == "o-1"] == [1, 2, 3]
    assert [version for stream, version in mailer.seen if stream == "o-0"] == [1, 2, 3]


async def test_nothing_is_done_again_after_a_new_start(store_url: str) -> None:
    mailer = Mailer()
    async with opened(store_url) as backend:
        last: AppendResult | int = 0
        for _ in range(4):
            async with backend.projector([mailer]) as projector:
                last = await append(backend, "o", Placed("a"))
                await projector.wait_for(last, "mailer", timeout=DEADLINE)
    assert [version for _, version in mailer.seen] == [1, 2, 3, 4]


@pytest.mark.parametrize("version", [2, 3])
async def test_a_new_version_is_mute_until_it_is_switched_to(store_url: str, version: int) -> None:
    class Newer(Mailer):
        class_name = "Mailer"

    Newer.version = version
    old, new = Mailer(), Newer()
    async with opened(store_url) as backend, backend.projector([old]) as projector:
        first = await append(backend, "o", Placed("a"))
        await projector.wait_for(first, "mailer", timeout=DEADLINE)
        async with backend.projector([new]) as newer:
            second = await append(backend, "o", Placed("a"))
            await projector.wait_for(second, "mailer", timeout=DEADLINE)
            assert new.seen == []
            assert (await newer.switch("mailer")).version == version
            third = await append(backend, "o", Placed("a"))
            await newer.wait_for(third, "mailer", timeout=DEADLINE)
            assert (old.seen, new.seen) == ([("o", 1), ("o", 2)], [("o", 3)])
            await newer.switch("mailer", version=1)
            fourth = await append(backend, "o", Placed("a"))
            await newer.wait_for(fourth, "mailer", timeout=DEADLINE)
            assert (old.seen[2:], new.seen) == ([("o", 4)], [("o", 3)])


async def test_one_can_begin_now_although_the_last_event_cannot_be_read(store_url: str) -> None:
    class FromNow(Mailer):
        name = "from-now"
        start = "now"

    mailer = FromNow()
    async with opened(store_url) as backend:
        await append(backend, "old", Placed("a"))
        await store_raw(store_url, "old", Event("placed", {"cents": "many"}))
        async with backend.projector([mailer]) as projector:
            last = await append(backend, "new", Placed("a"))
            await projector.wait_for(last, "from-now", timeout=DEADLINE)
            assert await projector.parked("from-now") == []
    assert mailer.seen == [("new", 1)]
