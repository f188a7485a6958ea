"""Whoever applies an event has one of its own: what one changes in it, nobody else sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import RecordedEvent, View, open_backend
from tests.every_store.projections._counts import Counted, count, types
from tests.every_store.projections._shop import DEADLINE

if TYPE_CHECKING:
    from eventsourcing_core import Backend


class Careless(View[list[str]]):
    """The words of a stream, in a list that it has taken from the first event."""

    name = "careless"

    def evolve(self, value: list[str] | None, event: RecordedEvent[Counted]) -> list[str]:
        words = event.data.keys
        words.append("!")
        return words if value is None else value + words


class Clumsy(View[list[str]]):
    """The words of each word's events; it changes events, where it is asked for a key, too."""

    name = "clumsy"

    def key(self, event: RecordedEvent[Counted]) -> list[str]:
        keys = [*event.data.keys]
        event.data.keys.append("key")
        return keys

    def evolve(self, value: list[str] | None, event: RecordedEvent[Counted]) -> list[str]:
        event.data.keys.append("?")
        return [*(value or ()), *event.data.keys]


@pytest.mark.parametrize("is_inline", [True, False])
async def test_what_one_view_changes_no_other_one_sees(store_url: str, *, is_inline: bool) -> None:
    views = [Careless(), Clumsy()]
    inline = views if is_inline else ()
    async with open_backend(store_url, event_types=types, inline=inline) as backend:
        await count(backend, "words-1", "a", "b")
        last = (await count(backend, "words-1", "a")).position
        if not is_inline:
            async with backend.projector(views) as projector:
                for view in views:
                    await projector.wait_for(last, view, timeout=DEADLINE)
        assert await _values(backend) == {
            "words-1": ["a", "b", "!", "a", "!"],
            "a": ["a", "b", "?", "a", "?"],
            "b": ["a", "b", "?"],
        }


async def _values(backend: Backend) -> dict[str, list[str]]:
    careless = {key: value async for key, value in backend.view(Careless).all()}
    clumsy = {key: value async for key, value in backend.view(Clumsy).all()}
    return {**careless, **clumsy}
