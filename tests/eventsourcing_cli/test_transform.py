"""The command `transform`."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli._evolution.transforming import _told_when_to_switch
from eventsourcing_core import Event, EventTypes, open_backend
from eventsourcing_core.evolution import TransformProgress
from tests.eventsourcing_cli._stores import events_in, fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Outcome, Run

_names = itertools.count()
LIBRARY = """
from __future__ import annotations
from typing import Any
from eventsourcing_core import EventTypes, event, upcaster

TYPES = EventTypes()

@event("book.lent.v2", event_types=TYPES)
class Lent:
    days: int

@upcaster("book.lent", to="book.lent.v2", event_types=TYPES)
def days(data: dict[str, Any]) -> dict[str, Any]:
    return {"days": 7 * data["weeks"]}
"""


@pytest.fixture
def types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a module with event types, and give what names its registry."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    name = f"library_{next(_names)}"
    (tmp_path / f"{name}.py").write_text(LIBRARY, "utf-8")
    return f"{name}:TYPES"


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """Give the URLs of a store with an event, and of an empty one."""
    source = f"sqlite:///{tmp_path / 'old.db'}"
    fill(source, "book-1", Event("book.lent", {"weeks": 2}))
    return source, f"sqlite:///{tmp_path / 'new.db'}"


def test_it_says_what_became_of_the_events(run: Run, urls: tuple[str, str], types: str) -> None:
    outcome = run("transform", *urls, "--events", types, "--serializer", "msgpack")
    said = (
        "1 events became 1, of which this run wrote 1; both stores were compared, and the target "
        "has all"
    )
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{said}: switch to it\n", "")
    (moved,) = events_in(urls[1])
    assert (moved.event_type, moved.data) == ("book.lent.v2", {"days": 14})


def test_it_goes_on_and_says_so_in_json(run: Run, urls: tuple[str, str], types: str) -> None:
    run("transform", *urls, "--events", types)
    fill(urls[0], "book-1", Event("book.lent.v2", {"days": 1}))
    outcome = run("transform", *urls, "--events", types, "--json")
    assert json.loads(outcome.out) == {
        "read": 1,
        "written": 1,
        "source_events": 2,
        "target_events": 2,
        "position": 2,
        "last_position": 2,
        "appenders": 0,
        "lag": 0,
    }


async def test_whoever_is_appending_keeps_one_from_switching(
    run: Run, url: str, types: str, tmp_path: Path
) -> None:
    """What others have stored since he began cannot be read yet, and would be left behind."""
    target = f"sqlite:///{tmp_path / 'new.db'}"
    async with (
        open_backend(url, event_types=EventTypes()) as slow,
        open_backend(url, event_types=EventTypes()) as quick,
    ):
        lent = partial(Event, "book.lent", {"weeks": 2})
        await quick.event_store.append("book-1", [lent()], expected_version=0)
        async with slow.transaction() as transaction:
            await transaction.append("book-2", [lent()], expected_version=0)
            await quick.event_store.append("book-3", [lent()], expected_version=0)
            early: Outcome = await asyncio.to_thread(
                run, "transform", url, target, "--events", types
            )
    assert early.code == 1
    assert "1 events became 1" in early.out
    assert "1 are appending to the source, which hides what came after they began" in early.out
    late: Outcome = await asyncio.to_thread(run, "transform", url, target, "--events", types)
    assert late.code == 0
    assert len(await asyncio.to_thread(events_in, target)) == 3


def test_an_event_that_cannot_be_read_is_an_error(
    run: Run, urls: tuple[str, str], types: str
) -> None:
    fill(urls[0], "book-1", Event("book.lent", {"days": 2}))
    outcome = run("transform", *urls, "--events", types)
    assert outcome.code == 1
    assert "version 2 of stream 'book-1'" in outcome.err
    assert "the key 'weeks' is missing; all before it is moved" in outcome.err


def test_there_is_nothing_to_move(run: Run, memory: str, urls: tuple[str, str], types: str) -> None:
    outcome = run("transform", memory, urls[1], "--events", types)
    assert outcome.code == 3
    assert "no events in SOURCE" in outcome.err


def test_one_store_is_no_pair(run: Run, memory: str, types: str) -> None:
    outcome = run("transform", memory, memory, "--events", types)
    assert outcome.code == 1
    assert "SOURCE and TARGET are one store" in outcome.err


def test_that_one_can_switch_is_said_once_it_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter((0.0, 60.0, 64.0))
    told = _told_when_to_switch(lambda _: None, lambda: next(clock))
    told(TransformProgress("following", 50, 59))  # which took a minute
    told(TransformProgress("checking", 99, 100))
    told(TransformProgress("following", 100, 102))
    told(TransformProgress("following", 200, 200))
    said = capsys.readouterr().err
    assert said.startswith("all up to position 100 is moved and compared, 2 are to come: to switch")
    assert len(said.splitlines()) == 1
