from __future__ import annotations

import os
import sys
import time
from uuid import RFC_4122, UUID

import pytest

from eventsourcing_core import Event
from eventsourcing_core._events import identity


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


@pytest.mark.skipif(sys.platform in {"win32", "emscripten"}, reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of other threads
def test_event_ids_of_a_fork_are_not_those_of_its_parent() -> None:
    identity.new_event_id()  # now there are numbers that no id has yet
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # nothing but this, so that no lock of another thread is met
        os.write(writing, identity.new_event_id()[8:])
        os._exit(0)
    os.close(writing)
    of_child = os.read(reading, 8)
    os.close(reading)
    os.waitpid(child, 0)
    of_parent = {identity.new_event_id()[8:] for _ in range(300)}  # until others are drawn
    assert len(of_child) == 8
    assert of_child not in of_parent
