from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from eventsourcing_core import Event


def test_event_ids_are_uuids_of_version_7() -> None:
    event_id = Event("Opened", {"a": 1}).event_id
    assert (event_id.version, event_id.variant) == (7, RFC_4122)


def test_event_ids_hold_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    made = Event("Opened", {"a": 1}).event_id.int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_event_ids_sort_by_the_time_they_were_made() -> None:
    ids: list[UUID] = []
    for _ in range(50):
        ids.append(Event("Opened", {"a": 1}).event_id)
        last = time.time_ns()
        while time.time_ns() - last < 2_000:  # two microseconds: the resolution is a quarter of one
            pass
    assert ids == sorted(ids)


def test_event_ids_do_not_repeat() -> None:
    assert len({Event("Opened", {"a": 1}).event_id for _ in range(10_000)}) == 10_000
