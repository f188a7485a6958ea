"""The aggregates that a repository keeps, so as to read only what came after them.

What is kept is never changed and never given away: whoever needs it gets a copy. It is what the
stream was once. Whether it still is, only the store knows: an append that expects its version, or a
reading that begins with its last event.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.notebook import note, stored_as
from eventsourcing_core._state.copying import copy_state

if TYPE_CHECKING:
    from eventsourcing_core._repositories.loading import Loading

A = TypeVar("A", bound=Aggregate)

TRUSTED: Final = 0.1
"""Seconds for which nothing is read before a command is decided.

A conflict shows that somebody else has written. It does not show that the store was restored, or
failed over, and that another history has come to be as long as the one that is known."""


class Kept(NamedTuple, Generic[A]):
    """An aggregate that is kept, and when the store was last seen to have it so."""

    state: A
    """The aggregate, at version 1 or more; or a new one, which is not put into the cache."""
    checked: float
    """When the reading or the append began that found it so, by the monotonic clock."""

    def is_trusted(self) -> bool:
        """Tell whether a command may be decided by it, and the append find out if it is right."""
        return monotonic() - self.checked < TRUSTED

    def distrusted(self) -> Kept[A]:
        """Give the same, to be checked before it is used."""
        return self._replace(checked=float("-inf"))


class Cache(Generic[A]):
    """Keeps the aggregates of one class that were used last.

    Args:
        aggregate_class: The class.
        loading: What loads them.
        most: How many are kept, 1 or more.
    """

    def __init__(self, aggregate_class: type[A], loading: Loading[A], most: int) -> None:
        self._class = aggregate_class
        self._loading = loading
        self._most = most
        self._kept: OrderedDict[str, Kept[A]] = OrderedDict()  # the one used last at the end

    async def load(self, id: str) -> A:  # noqa: A002 - the word of the domain
        """Load an aggregate by reading what came after it was kept."""
        key = self._class(id).stream_id
        before = self.get(key)
        fresh = await self.renewed(id, before)
        # Whoever has put another one there meanwhile knows more, or as much.
        if fresh.state.version and self._kept.get(key) is before:
            self.put(key, fresh)
        return self.copy_of(fresh.state, id)

    async def renewed(self, id: str, before: Kept[A] | None) -> Kept[A]:  # noqa: A002 - as above
        """Give an aggregate as it is now, from how it was known, or from its events alone."""
        checked = monotonic()
        if before is not None and before.state.version:
            aggregate = self.copy_of(before.state, id)
            if await self._loading.go_on(aggregate):
                return Kept(aggregate, checked)
        return Kept(await self._loading.load(id), checked)

    def copy_of(self, state: A, id: str) -> A:  # noqa: A002 - as above
        """Give an aggregate that shares nothing with the one that it is a copy of.

        Raises:
            TypeError: The state cannot be copied.
        """
        copied = self._class(id)
        copy_state(state, copied)
        copied.version = state.version
        note(copied, replace(stored_as(state)))
        return copied

    def get(self, key: str) -> Kept[A] | None:
        """Give what is kept of a stream, and keep it longer."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def put(self, key: str, kept: Kept[A]) -> None:
        """Keep an aggregate in place of what was kept of its stream."""
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def distrust(self, key: str) -> None:
        """Let what is kept of a stream be read again before it is used."""
        if (kept := self._kept.get(key)) is not None:
            self._kept[key] = kept.distrusted()

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)
