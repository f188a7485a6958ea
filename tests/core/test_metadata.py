from __future__ import annotations

import asyncio
import contextvars
import gc
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, RecordedEvent, caused_by, recording_metadata

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping


def noted() -> Mapping[str, object]:
    """Give the metadata that an event gets here."""
    return Event("Noted", {}).metadata


def dependency(user: str = "alice") -> Generator[int]:
    """Be a fixture, or what a framework injects."""
    with recording_metadata(user=user):
        yield 1


async def readings(user: str = "bob") -> AsyncGenerator[int]:
    """Be a generator with a block around what it gives."""
    with recording_metadata(user=user):
        yield 1
        yield 2


def test_events_made_in_the_block_carry_its_metadata() -> None:
    with recording_metadata(user="alice"):
        inside = Event("Opened", {"a": 1})
    assert inside.metadata == {"user": "alice"}
    assert Event("Opened", {"a": 1}).metadata == {}


def test_inner_blocks_add_and_win_and_the_event_itself_wins_over_all() -> None:
    with recording_metadata(user="alice", via="web"), recording_metadata(user="bob", ip="::1"):
        made = Event("Opened", {"a": 1}, metadata={"ip": "127.0.0.1"})
    assert made.metadata == {"user": "bob", "via": "web", "ip": "127.0.0.1"}


def test_the_block_ends_also_when_it_raises() -> None:
    with pytest.raises(ZeroDivisionError), recording_metadata(user="alice"):
        _ = 1 / 0
    assert Event("Opened", {"a": 1}).metadata == {}


async def test_concurrent_tasks_do_not_see_each_others_metadata() -> None:
    async def make(user: str) -> Event[object]:
        with recording_metadata(user=user):
            await asyncio.sleep(0)
            return Event("Opened", {"a": 1})

    made = await asyncio.gather(*(make(str(n)) for n in range(10)))
    assert [event.metadata["user"] for event in made] == [str(n) for n in range(10)]


def test_the_first_event_of_a_chain_gives_its_id_for_correlation_and_causation() -> None:
    first = Event("Ordered", {"a": 1})
    assert caused_by(first) == {
        "correlation_id": str(first.event_id),
        "causation_id": str(first.event_id),
    }


def test_later_events_hand_the_correlation_on() -> None:
    first = Event("Ordered", {"a": 1})
    second = Event("Paid", {"a": 1}, metadata=caused_by(first))
    assert caused_by(second) == {
        "correlation_id": str(first.event_id),
        "causation_id": str(second.event_id),
    }


def test_the_correlation_goes_through_the_third_event() -> None:
    first = Event("Ordered", {"a": 1})
    with recording_metadata(**caused_by(first)):
        second = Event("Paid", {"a": 1})
    with recording_metadata(**caused_by(second)):
        third = Event("Sent", {"a": 1})
    assert third.metadata == caused_by(second)
    assert caused_by(third) == {
        "correlation_id": str(first.event_id),
        "causation_id": str(third.event_id),
    }


def test_after_an_inner_block_the_outer_one_holds_again() -> None:
    with recording_metadata(user="alice", via="web"):
        with recording_metadata(user="bob"):
            assert noted() == {"user": "bob", "via": "web"}
        assert noted() == {"user": "alice", "via": "web"}
        with recording_metadata(via="cron"):
            assert noted() == {"user": "alice", "via": "cron"}
    assert noted() == {}


def test_events_of_one_block_share_their_metadata() -> None:
    with recording_metadata(user="alice"), recording_metadata(via="web"):
        assert noted() is noted()


def test_metadata_do_not_change_with_the_dict_that_they_were_given_as() -> None:
    given: dict[str, object] = {"user": "alice"}
    made = Event("Noted", {"a": 1}, metadata=given)
    recorded = RecordedEvent(
        "Noted", {"a": 1}, stream_id="doc-1", version=1, position=1, metadata=given
    )
    given["user"] = "bob"
    assert made.metadata == recorded.metadata == {"user": "alice"}


def test_a_block_is_left_in_another_context_without_an_error() -> None:
    generator = dependency()
    entered = contextvars.copy_context()
    entered.run(next, generator)
    assert entered.run(noted) == {"user": "alice"}
    generator.close()
    assert noted() == {}
    assert entered.run(noted) == {}


def test_a_block_is_left_in_a_copy_of_its_context() -> None:
    generator = dependency()
    next(generator)
    contextvars.copy_context().run(generator.close)
    assert noted() == {}


def test_of_nested_blocks_the_outer_one_may_be_left_first() -> None:
    outer = dependency()
    next(outer)
    with recording_metadata(via="web"):
        assert noted() == {"user": "alice", "via": "web"}
        outer.close()
        assert noted() == {"via": "web"}
    assert noted() == {}


def test_a_block_in_a_context_manager_of_yours_holds_for_its_body() -> None:
    @contextmanager
    def by(user: str) -> Generator[None]:
        with recording_metadata(user=user):
            yield

    with by("alice"):
        assert noted() == {"user": "alice"}
    assert noted() == {}


async def test_a_block_in_an_asynchronous_context_manager_holds_for_its_body() -> None:
    @asynccontextmanager
    async def by(user: str) -> AsyncGenerator[None]:
        with recording_metadata(user=user):
            yield

    async with by("alice"):
        await asyncio.sleep(0)
        gc.collect()
        assert noted() == {"user": "alice"}
    assert noted() == {}


async def test_nothing_is_left_by_a_generator_that_was_left_early() -> None:
    async for _ in readings():
        break
    assert noted() == {}


async def test_nothing_is_left_by_a_generator_around_the_one_that_was_left() -> None:
    async def through() -> AsyncGenerator[int]:
        with recording_metadata(via="web"):
            async for number in readings():
                yield number

    with recording_metadata(ip="::1"):
        async for _ in through():
            assert noted() == {"ip": "::1", "via": "web", "user": "bob"}
            break
        assert noted() == {"ip": "::1"}
    assert noted() == {}


async def test_nothing_is_left_where_a_generator_used_a_context_manager_of_yours() -> None:
    @contextmanager
    def by(user: str) -> Generator[None]:
        with recording_metadata(user=user):
            yield

    async def numbers() -> AsyncGenerator[int]:
        with by("bob"):
            yield 1

    async for _ in numbers():
        break
    assert noted() == {}


async def test_a_generator_is_closed_by_another_task_than_the_one_that_began_it() -> None:
    generator = readings()
    await anext(generator)
    assert noted() == {"user": "bob"}
    await asyncio.create_task(generator.aclose())
    assert noted() == {}


async def test_a_fixture_is_entered_by_one_task_and_left_by_another() -> None:
    generator = readings()
    assert await asyncio.create_task(anext(generator)) == 1
    assert noted() == {}
    await asyncio.create_task(generator.aclose())
    assert noted() == {}


async def test_a_generator_that_was_gone_through_leaves_nothing() -> None:
    async with aclosing(readings()) as generator:
        assert [number async for number in generator] == [1, 2]
    assert noted() == {}


async def test_a_task_that_was_started_in_a_block_keeps_its_metadata() -> None:
    is_over = asyncio.Event()

    async def work() -> Mapping[str, object]:
        await is_over.wait()
        return noted()

    async def numbers() -> AsyncGenerator[asyncio.Task[Mapping[str, object]]]:
        with recording_metadata(user="bob"):
            yield asyncio.create_task(work())

    with recording_metadata(user="alice"):
        plain = asyncio.create_task(work())
    (made,) = [task async for task in numbers()]
    gc.collect()
    is_over.set()
    assert [await plain, await made] == [{"user": "alice"}, {"user": "bob"}]
    assert noted() == {}


async def test_blocks_that_are_never_left_do_not_pile_up() -> None:
    for _ in range(3 * 1000):  # as deep as Python goes, if each kept the one before
        async for _ in readings():
            break
    assert noted() == {}


@pytest.mark.parametrize("metadata", [1, "user", [("user", "alice")]], ids=repr)
def test_metadata_is_a_mapping(metadata: Any) -> None:
    with pytest.raises(TypeError, match="metadata is a mapping, got "):
        Event("Noted", {}, metadata=metadata)
