"""What is asked for: queries and filters by classes, as storages know them.

Events are asked for by what they are once they are read. Stored ones may have other names, of which
upcasters make these; so storages are asked for more names, and what comes is looked at again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import shown
from eventsourcing_core._names import is_name
from eventsourcing_core.stores._boundaries.words import Query
from eventsourcing_core.stores._rows import QueryItem, RowQuery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._events.event_types import EventTypes

logger = logging.getLogger("eventsourcing_core.codec")


class Wanted(NamedTuple):
    """What events must be once they are read."""

    event_types: frozenset[str] | None = None
    """The names of their types; None: any."""
    items: tuple[QueryItem, ...] | None = None
    """One of these must match; None: all do."""

    def is_met(self, event: RecordedEvent[Any]) -> bool:
        """Tell whether an event is wanted."""
        if self.event_types is not None and event.event_type not in self.event_types:
            return False
        return self.items is None or any(
            item.tags <= event.tags
            and (item.event_types is None or event.event_type in item.event_types)
            for item in self.items
        )


class Asking:
    """Turns what users ask for into what storages are asked for, and back.

    Args:
        event_types: The registry of classes and upcasters.
    """

    def __init__(self, event_types: EventTypes) -> None:
        self._types = event_types
        self._told: set[str] = set()  # names of which the log was told

    def wanted(
        self, event_types: Collection[str | type] | None, query: Query | None = None
    ) -> Wanted:
        """Give what events are to be once they are read.

        Raises:
            UnknownEventTypeError: A class is not registered.
            TypeError: It is no query.
        """
        names = None if event_types is None else self._names(event_types)
        return Wanted(names, None if query is None else self.items(query))

    def items(self, query: Query) -> tuple[QueryItem, ...]:
        """Give the parts of a query, each with the names that its events have once they are read.

        Raises:
            UnknownEventTypeError: A class is not registered.
            TypeError: It is no query.
        """
        given: object = query
        if not isinstance(given, Query):
            message = f"query is a Query, got {shown(given)}"
            raise TypeError(message)
        return tuple(
            [
                QueryItem(tags, None if types is None else self._names(types))
                for tags, types in query.parts
            ]
        )

    def stored(self, items: tuple[QueryItem, ...]) -> tuple[QueryItem, ...]:
        """Give what to ask a storage for, to get all events that these items are about."""
        if not self._types.upcasters:
            return items
        return tuple(
            [
                item
                if item.event_types is None
                else item._replace(event_types=self._types.stored_names(item.event_types))
                for item in items
            ]
        )

    def row_query(self, wanted: Wanted, stream_prefix: str | None) -> RowQuery:
        """Give what is asked for; what no store can hold is not asked for."""
        prefix = stream_prefix or ""
        if prefix and not is_name(prefix):
            return RowQuery(frozenset(), "")
        names, items = wanted
        if names is not None:
            if self._types.upcasters:
                names = self._types.stored_names(names)
            names = frozenset(filter(is_name, names))
        return RowQuery(names, prefix, None if items is None else self.stored(items))

    def chosen(
        self, events: Iterable[RecordedEvent[Any]], wanted: Wanted
    ) -> Iterable[RecordedEvent[Any]]:
        """Leave out what upcasters made beside the types that are wanted."""
        if wanted == (None, None) or not self._types.upcasters:
            return events
        return filter(wanted.is_met, events)

    def _names(self, event_types: Collection[str | type]) -> frozenset[str]:
        types = self._types
        names = frozenset(
            [types.name_of(each) if isinstance(each, type) else each for each in event_types]
        )
        if names and names <= types.upcasters.keys() and not names <= self._told:
            self._told |= names
            listed = ", ".join(map(repr, sorted(names)))
            logger.warning("no event is read as %s: name what its upcasters make of it", listed)
        return names
