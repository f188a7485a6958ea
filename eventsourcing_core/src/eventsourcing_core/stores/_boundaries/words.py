"""The words that users speak of groups and boundaries with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from eventsourcing_core._errors import EventSourcingError, shown
from eventsourcing_core._events.tags import tags_of
from eventsourcing_core._names import check_event_type
from eventsourcing_core.stores._boundaries.conditions import Witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._boundaries.conditions import Condition
    from eventsourcing_core.stores._rows import QueryItem

QueryPart: TypeAlias = tuple[frozenset[str], frozenset[str | type] | None]
"""The tags, and the classes or names of types, None for all, of one part of a query."""


class Query:
    """Which events a decision rests on: those with all of some tags, and one of some types.

    ``|`` joins queries: what matches one of them matches. It is the query of the specification of
    dynamic consistency boundaries (https://dcb.events/specification).

    >>> Query(tags={"course:1"}) | Query(tags={"student:9"}, event_types=["student.enrolled"])
    Query(tags={'course:1'}) | Query(tags={'student:9'}, event_types=['student.enrolled'])

    Args:
        tags: An event must have all of them.
        event_types: Classes or stored names, of which an event must have one; unless given, any
            will do.

    Raises:
        ValueError: Neither is given, or a tag or a name is none that a store keeps.
        TypeError: Something is of another type.
    """

    __slots__ = ("_parts",)

    def __init__(
        self,
        *,
        tags: Iterable[str] = (),
        event_types: Collection[str | type] | None = None,
    ) -> None:
        wanted = tags_of(tags, "a query:")
        types = None if event_types is None else _types_of(event_types)
        if not wanted and types is None:
            message = (
                "a query needs tags or event_types: for all events that there are, use Query.all()"
            )
            raise ValueError(message)
        self._parts: tuple[QueryPart, ...] = ((wanted, types),)

    @classmethod
    def all(cls) -> Query:
        """Give the query that every event matches.

        As a condition it lets no two decisions pass at once: use it where nothing less will do.
        """
        return cls._of(((frozenset(), None),))

    @classmethod
    def _of(cls, parts: tuple[QueryPart, ...]) -> Query:
        query = cls.__new__(cls)
        query._parts = parts  # noqa: SLF001 - it is being built
        return query

    @property
    def parts(self) -> tuple[QueryPart, ...]:
        """The tags and types of each part: one of them must match."""
        return self._parts

    def __or__(self, other: Query) -> Query:
        """Give the query for what matches this one or the other."""
        if not isinstance(other, Query):
            return NotImplemented
        return self._of(tuple(dict.fromkeys(self._parts + other._parts)))

    def __eq__(self, other: object) -> bool:
        """Compare by the parts, whatever their order."""
        return isinstance(other, Query) and {*self._parts} == {*other._parts}

    def __hash__(self) -> int:
        """Hash by the parts."""
        return hash(frozenset(self._parts))

    def __repr__(self) -> str:
        """Show the calls that make it."""
        return " | ".join(map(_shown_part, self._parts))


@dataclass(frozen=True, slots=True)
class ToStream:
    """The events of one stream in a group: see ``EventStore.append_together``."""

    stream_id: str
    """The stream to append to."""
    events: Sequence[object]
    """Events, or payloads of registered classes; at least one."""
    expected_version: int | ExpectedVersion = field(kw_only=True)
    """The version of the stream as the caller knows it, or a member of ``ExpectedVersion``."""
    tags: Iterable[str] = field(default=(), kw_only=True)
    """Added to those that each event has."""


@dataclass(frozen=True, slots=True)
class StreamAt:
    """A stream that a decision rests on, and that the group does not write to."""

    stream_id: str
    """The stream."""
    version: int
    """The version at which the caller saw it; 0: there is no such stream."""


@dataclass(frozen=True, slots=True, repr=False)
class Marker:
    """What was read, and how far: ``read_matching`` gives it, ``unless_changed=`` takes it.

    It is good for the store object that gave it, and for no other.
    """

    condition: Condition = field(repr=False)
    """What it says to the storage."""
    items: tuple[QueryItem, ...] = field(repr=False)
    """What events must be once they are read; upcasters may make them of others."""
    store: bytes = field(repr=False)
    """Whose it is."""

    def after(self, position: int, event_id: bytes) -> Marker:
        """Give the marker of whoever has appended with this one; for decisions.

        The append has passed, and what matches was locked until it was stored. So at or below its
        last event nothing matches that was not read, or stored by it.

        Args:
            position: The position of its last event.
            event_id: The id of that event.
        """
        witness = Witness(position, event_id)
        condition = self.condition._replace(horizon=position, seen=frozenset(), witness=witness)
        return replace(self, condition=condition)

    def __repr__(self) -> str:
        """Show how far was read, which helps in logs."""
        return f"<Marker at position {self.condition.horizon}>"


class MatchingEvents(NamedTuple):
    """What a decision rests on."""

    events: tuple[RecordedEvent[Any], ...]
    """The events that matched, by position."""
    marker: Marker
    """For ``append_together(…, unless_changed=…)``."""


class BoundaryError(EventSourcingError):
    """Events were written that match, and that were not read; nothing was written.

    Fold them, decide again, and append with the new marker. If there are more of them than an error
    carries (100), read all that matches again: a state without the others is an old one.

    Attributes:
        events: The events that were missed, the first ones, by position.
        marker: The marker of whoever has read these, too.
        are_more: Whether more were missed than these.
    """

    def __init__(
        self, events: tuple[RecordedEvent[Any], ...], marker: Marker, *, are_more: bool = False
    ) -> None:
        self.events = events
        self.marker = marker
        self.are_more = are_more
        count = len(events)
        what = "an event that matches has" if count == 1 else f"{count} events that match have"
        where = f", the first one at position {events[0].position}" if events else ""
        super().__init__(
            f"append refused, nothing was written: {what} come since the reading{where}; fold "
            "error.events, decide again, and append with error.marker: backend.decide does so, as "
            "often as attempts= says"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...], dict[str, bool]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.events, self.marker), {"are_more": self.are_more}


def _types_of(given: object) -> frozenset[str | type]:
    if isinstance(given, str | bytes) or not isinstance(given, Collection):
        message = (
            f"event_types is a collection of classes or names, got {shown(given)}: put a "
            "single one into a list"
        )
        raise TypeError(message)
    types: list[object] = [*given]
    if not types:
        message = "event_types names no type: leave it out, or name one"
        raise ValueError(message)
    found: list[str | type] = []
    for each in types:
        if not isinstance(each, str | type):
            message = f"event_types holds classes or names, got {shown(each)}"
            raise TypeError(message)
        if isinstance(each, str):
            check_event_type(each)
        found.append(each)
    return frozenset(found)


def _shown_part(part: QueryPart) -> str:
    tags, types = part
    given: list[str] = []
    if tags:
        given.append(f"tags={{{', '.join(map(repr, sorted(tags)))}}}")
    if types is not None:
        names = sorted(each.__name__ if isinstance(each, type) else repr(each) for each in types)
        given.append(f"event_types=[{', '.join(names)}]")
    return f"Query({', '.join(given)})" if given else "Query.all()"
