"""Caches that break a promise: whoever checks the promises must catch each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_backend
from eventsourcing_core._aggregates.notebook import note, stored_as
from eventsourcing_core._repositories.cache import Cache
from eventsourcing_core._repositories.deciding import Decisions
from tests.core._tills import Till, types
from tests.every_store._cache_promises import (
    PROMISES,
    Promise,
    an_aggregate_that_is_given_away_is_its_callers_alone,
    what_a_caller_gets_is_its_own,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def url_of_a_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'events.db'}"
    url: str = request.getfixturevalue("url")
    return url


@pytest.mark.parametrize("promise", PROMISES, ids=[each.__name__ for each in PROMISES])
async def test_our_own_keeps_the_promises(url_of_a_store: str, promise: Promise) -> None:
    async with open_backend(url_of_a_store, event_types=types) as backend:
        await promise(backend.repository(Till, cache=10))


def share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give away what is kept."""

    async def load(cache: Cache[Till], id: str) -> Till:  # noqa: A002 - the word of the domain
        kept = cache.get(f"Till-{id}")
        if kept is None:
            kept = await cache.renewed(id, None)
            cache.put(f"Till-{id}", kept)
        return kept.state

    monkeypatch.setattr(Cache, "load", load)


def share_what_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give away a copy that is not a deep one."""

    def shallow(_: Cache[Till], state: Till, id: str) -> Till:  # noqa: A002 - the word of the domain
        copied = Till(id)
        copied.total, copied.sales, copied.version = state.total, state.sales, state.version
        note(copied, stored_as(state))
        return copied

    monkeypatch.setattr(Cache, "copy_of", shallow)


def answer_a_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each caller of a group what the next one should get."""
    answer = Decisions[Till].answer

    def rotated(decisions: Decisions[Till]) -> None:
        made = decisions._made
        turns = [each.turn for each in made]
        decisions._made = [
            each._replace(turn=turn)
            for each, turn in zip(made, [*turns[1:], *turns[:1]], strict=True)
        ]
        answer(decisions)

    monkeypatch.setattr(Decisions, "answer", rotated)


Fault = Callable[[pytest.MonkeyPatch], None]

BROKEN: dict[Fault, Promise] = {
    share: an_aggregate_that_is_given_away_is_its_callers_alone,
    share_what_is_inside: an_aggregate_that_is_given_away_is_its_callers_alone,
    answer_a_neighbour: what_a_caller_gets_is_its_own,
}


@pytest.mark.parametrize("fault", BROKEN, ids=[each.__name__ for each in BROKEN])
async def test_a_broken_one_is_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    async with open_backend("memory://", event_types=types) as backend:
        tills = backend.repository(Till, cache=10)
        with pytest.raises(AssertionError):
            await BROKEN[fault](tills)
