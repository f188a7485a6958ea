from __future__ import annotations

import asyncio

import pytest

from eventsourcing_core import Event, caused_by, recording_metadata


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
