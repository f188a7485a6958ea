"""Decisions, and an oracle that judges each of them by what the store holds in the end.

An event of a decision carries what its decider had read. So decisions of a process that was killed
are judged, too, if they were stored.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from eventsourcing_core import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Part: TypeAlias = tuple[list[str], list[str] | None]
"""The tags and the types of one part of a query."""

EVENTS = """
select position, event_type, coalesce(tags, '{}'), convert_from(data, 'UTF8')
from eventsourcing.events order by position
"""


class Happened(NamedTuple):
    """A stored event."""

    position: int
    event_type: str
    tags: frozenset[str]
    decision: str | None
    """The name of the decision it belongs to; None: nobody decided."""
    parts: list[Part]
    """What the decision rested on."""
    read: frozenset[int]
    """The positions of the matching events that the decider had read."""


class Refused(NamedTuple):
    """A decision that was refused."""

    parts: list[Part]
    read: list[int]
    missed: list[int]
    """The positions of the events that the refusal gave."""


class Verdicts(NamedTuple):
    """What the oracle found."""

    accepted: int
    refused: int
    wrong: list[str]
    """Decisions that are wrong, each in words."""


def query_of(parts: Sequence[Part]) -> Query:
    """Give the query of some parts."""
    query: Query | None = None
    for tags, types in parts:
        part = Query(tags=tags, event_types=types)
        query = part if query is None else query | part
    assert query is not None
    return query


def happened_in(rows: Iterable[Any]) -> list[Happened]:
    """Give the events of a store, by the rows of ``EVENTS``."""
    happened: list[Happened] = []
    for position, event_type, tags, text in rows:
        data: dict[str, Any] = json.loads(text)
        happened.append(
            Happened(
                position,
                event_type,
                frozenset(tags),
                data.get("decision"),
                [(part[0], part[1]) for part in data.get("parts", [])],
                frozenset(data.get("read", [])),
            )
        )
    return happened


def judged(happened: Sequence[Happened], refused: Iterable[Refused]) -> Verdicts:
    """Judge all decisions.

    Accepted: everything that matches at a lower position was read. Refused: something was not.
    """
    history = _History(happened)
    wrong: list[str] = []
    accepted: set[str] = set()
    for event in happened:
        if event.decision is None:
            continue
        accepted.add(event.decision)
        unread = {
            other.position
            for other in history.matching(event.parts, event.position)
            if other.decision != event.decision and other.position not in event.read
        }
        if unread:
            wrong.append(f"{event.decision} at {event.position} was accepted without {unread}")

    count = 0
    for parts, read, missed in refused:
        count += 1
        matching = {other.position for other in history.matching(parts, None)}
        if not missed or not matching.issuperset(missed) or not {*read}.isdisjoint(missed):
            wrong.append(f"refused for {missed}, of {sorted(matching)} when {read} was read")
    return Verdicts(len(accepted), count, wrong)


class _History:
    """Finds events by tag and by type."""

    def __init__(self, happened: Sequence[Happened]) -> None:
        self._by_name: dict[str, list[Happened]] = defaultdict(list)
        for event in happened:
            for name in (*event.tags, event.event_type):
                self._by_name[name].append(event)

    def matching(self, parts: Iterable[Part], below: int | None) -> list[Happened]:
        """Give the events that match a query, below a position."""
        found: list[Happened] = []
        for tags, types in parts:
            for name in tags[:1] or types or ():
                events = self._by_name[name]
                end = len(events)
                if below is not None:
                    end = bisect_left(events, below, key=lambda event: event.position)
                found += [
                    event
                    for event in events[:end]
                    if event.tags.issuperset(tags) and (types is None or event.event_type in types)
                ]
        return found
