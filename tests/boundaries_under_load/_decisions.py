"""An oracle over decisions: told what each rested on, it looks at the whole log afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Stored(NamedTuple):
    """An event of the log."""

    position: int
    event_type: str
    tags: frozenset[str]


class Part(NamedTuple):
    """A part of a query: all tags, and one of the types; None: any."""

    tags: frozenset[str]
    event_types: frozenset[str] | None

    def matches(self, event: Stored) -> bool:
        """Tell whether an event is meant; written anew, so that no fault is shared."""
        if self.event_types is not None and event.event_type not in self.event_types:
            return False
        return all(tag in event.tags for tag in self.tags)


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided, and what became of it."""

    query: tuple[Part, ...]
    """What it rested on."""
    read: frozenset[int]
    """The positions of the events that it had read."""
    ids: tuple[str, ...]
    """The events that it wanted to write."""
    missed: tuple[int, ...] | None
    """The positions of what it was told to have missed; None: it was accepted."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Decision:
        """Give the decision that a process has said."""
        query = [
            Part(frozenset(tags), None if types is None else frozenset(types))
            for tags, types in said["query"]
        ]
        missed = None if said["missed"] is None else tuple(said["missed"])
        return cls(tuple(query), frozenset(said["read"]), tuple(said["ids"]), missed)

    def matches(self, event: Stored) -> bool:
        """Tell whether it rested on an event."""
        return any(part.matches(event) for part in self.query)


class Log:
    """All events that a store holds in the end, by position."""

    def __init__(self, events: Sequence[Stored], places: Mapping[str, int]) -> None:
        self._places = places
        self._by_position = {event.position: event for event in events}
        self._by_name: dict[str, list[Stored]] = {}  # by tag, and by type
        for event in events:
            for name in (event.event_type, *event.tags):
                self._by_name.setdefault(name, []).append(event)

    def wrong(self, decision: Decision) -> Iterator[str]:
        """Say what is wrong about a decision; nothing, if it is right."""
        for position in decision.read:
            event = self._by_position.get(position)
            if event is None or not decision.matches(event):
                yield f"read position {position}, where nothing that matches is"
        if decision.missed is None:
            yield from self._wrongly_accepted(decision)
        else:
            yield from self._wrongly_refused(decision, decision.missed)

    def _wrongly_accepted(self, decision: Decision) -> Iterator[str]:
        places = [self._places.get(event_id) for event_id in decision.ids]
        there = [place for place in places if place is not None]
        if len(there) < len(places):
            yield f"was accepted, and {len(places) - len(there)} of its events are not there"
        elif unread := self._unread(decision, below=min(there)):
            yield f"was accepted at {min(there)}, and had not read {unread}"

    def _wrongly_refused(self, decision: Decision, missed: tuple[int, ...]) -> Iterator[str]:
        if any(event_id in self._places for event_id in decision.ids):
            yield "was refused, and some of its events are there"
        if not missed:
            yield "was refused, and had missed nothing"
            return
        first = self._unread(decision, below=max(missed) + 1)
        if first != [*missed]:
            yield f"was refused for {[*missed]}, and the first that it had not read are {first}"

    def _unread(self, decision: Decision, *, below: int) -> list[int]:
        names = {
            name
            for tags, types in decision.query
            for name in (tags or types or self._by_name)  # each of these says what it may match
        }
        events = {event for name in names for event in self._by_name.get(name, [])}
        return sorted(
            event.position
            for event in events
            if event.position < below
            and event.position not in decision.read
            and decision.matches(event)
        )
