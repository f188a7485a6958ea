"""Who goes next: a line for each key, and the batches that are taken from the lines.

An append stands in the line of each of its keys, behind those that came before it. It goes when it
is first in all of them. So the appends that share a key are written in the order they came.

A line is in one place at a time:

- it waits for its turn;
- it is taken: a batch is under way that has appends of it;
- it is set apart (``_held.py``): somebody else holds its stream;
- it rests: a group is at its head, and some other line of that group is not so far yet.

A line that gets to a group and is not the last one to do so just rests: it is nobody's turn, and
nobody looks at it again. The last one takes the group for all of them. Groups enter their lines in
one step, so of two groups the older one is the first in every line that they share: they cannot
wait for each other. The oldest append of all is the first in each of its lines, so one can always
go.

This module is about order alone: it starts no tasks, and waits for nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores._append import Append


class Waiting(Protocol):
    """What stands in lines; it is told apart by identity."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The lines that it stands in: one or more, each once."""
        ...

    @property
    def append(self) -> Append:
        """What is to be written."""
        ...

    def is_gone(self) -> bool:
        """Whether nobody wants it to be written any more."""
        ...


WaitingT = TypeVar("WaitingT", bound=Waiting)


class Batch(NamedTuple, Generic[WaitingT]):
    """Entries to be written together."""

    entries: list[WaitingT]
    """They stand in the order they came, as far as they share a key."""
    keys: list[str]
    """The lines it has taken; they are to be let go or set apart when it has ended."""


class Lines(Generic[WaitingT]):
    """The entries that wait, each in the lines of its keys.

    Args:
        max_appends: The most entries in a batch.
        max_bytes: The most bytes in a batch; a larger entry goes alone.
    """

    def __init__(self, max_appends: int, max_bytes: int) -> None:
        self._max_appends = max_appends
        self._max_bytes = max_bytes
        self.by_key: dict[str, deque[WaitingT]] = {}
        """What waits in each line that is in one of the places; empty: nothing goes on at all."""
        self._resting: dict[WaitingT, list[str]] = {}  # the lines that have got to a group
        self.turns: deque[str] = deque()
        """The lines that wait for their turn, the next one first."""
        self.count: int = 0
        """How many entries wait; one that is gone counts until a batch would have taken it."""

    def join(self, entry: WaitingT) -> None:
        """Put an entry behind those that share a key with it."""
        self.count += 1
        for key in entry.keys:
            line = self.by_key.get(key)
            if line is None:
                self.by_key[key] = deque((entry,))
                self.turns.append(key)
            else:  # whatever has the line now will see to it
                line.append(entry)

    def seize(self, keys: Iterable[str]) -> None:
        """Take lines for what goes at once, since nothing waits at all."""
        for key in keys:
            self.by_key[key] = deque()

    def take(self, places: deque[str], most: int, most_of_each: int) -> Batch[WaitingT]:
        """Take the first entries of the first lines in a place, as many as the limits allow.

        What is left of a line waits until the batch has ended, and then for another turn: a busy
        line does not keep the others waiting. A group is the last entry of its lines in a batch: if
        it turns out to be held for one of them, nothing behind it may go, in any of them.

        Args:
            places: ``turns``, or the lines that are set apart.
            most: The most lines.
            most_of_each: The most entries of a line.
        """
        lines = self.by_key
        entries: list[WaitingT] = []
        keys: list[str] = []
        space = self._max_bytes
        while places and most:
            key = places.popleft()
            line = lines[key]
            before = len(entries)
            end = min(before + most_of_each, self._max_appends)
            while line and len(entries) < end:
                entry = line[0]
                if entry.is_gone():
                    self.drop_first(key)
                    continue
                is_group = len(entry.keys) > 1
                if is_group and not self._is_first(entry):
                    break
                space -= entry.append.size
                if space < 0 and entries:
                    break
                entries.append(entry)
                line.popleft()
                if is_group:
                    keys += self._gather(entry)
                    break

            if len(entries) > before:
                keys.append(key)
                most -= 1
            elif not line:
                del lines[key]
            elif not self._rests(key, line[0]):  # the batch is full
                places.appendleft(key)
                break
        self.count -= len(entries)
        return Batch(entries, keys)

    def put_back(self, entries: Sequence[WaitingT]) -> None:
        """Put entries of a batch under way to the heads of their lines again."""
        self.count += len(entries)
        for entry in reversed(entries):
            for key in entry.keys:
                self.by_key[key].appendleft(entry)

    def let_go(self, keys: Iterable[str]) -> None:
        """Give lines that were taken another turn, if something waits there."""
        lines, turns = self.by_key, self.turns
        for key in keys:
            if lines[key]:
                turns.append(key)
            else:
                del lines[key]

    def first(self, key: str) -> WaitingT | None:
        """Give the first entry of a line."""
        line = self.by_key[key]
        return line[0] if line else None

    def drop_first(self, key: str) -> None:
        """Take away the first entry of a line, which is gone."""
        entry = self.by_key[key].popleft()
        self.count -= entry.keys[0] == key  # a group is dropped once in each line
        self.leave(entry)

    def leave(self, entry: WaitingT) -> None:
        """Give the lines that rest at an entry which is gone another turn."""
        if self._resting:
            self.turns += self._resting.pop(entry, ())

    def strand(self, places: deque[str]) -> list[WaitingT]:
        """Give up the lines in a place; give what waited there, which must be made gone."""
        stranded: list[WaitingT] = []
        while places:
            key = places.popleft()
            while self.by_key[key]:
                stranded.append(self.by_key[key][0])
                self.drop_first(key)
            del self.by_key[key]
        return stranded

    def _is_first(self, group: WaitingT) -> bool:
        """Tell whether a group that is first in one of its lines is so in all of them."""
        return len(self._resting.get(group, ())) == len(group.keys) - 1

    def _gather(self, group: WaitingT) -> list[str]:
        """Take a group out of the lines that rest at it; give these lines."""
        keys = self._resting.pop(group)
        for key in keys:
            self.by_key[key].popleft()
        return keys

    def _rests(self, key: str, entry: WaitingT) -> bool:
        """Let a line rest if the entry at its head is a group that others must get to."""
        if len(entry.keys) == 1 or entry.is_gone() or self._is_first(entry):
            return False
        self._resting.setdefault(entry, []).append(key)
        return True
