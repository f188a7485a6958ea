"""Fields that are stored, and that the class does not have (any more)."""

from __future__ import annotations

import logging
from typing import Any

from eventsourcing_core._errors import shortened, shown

logger = logging.getLogger("eventsourcing_core.codec")

_MESSAGE = (
    "events of type %r are stored with the field %s, which %s does not have, so its values are "
    "passed over: if it was renamed, write Annotated[…, WasNamed(%s)] in the hint of the new one; "
    "if it was dropped, an upcaster from this type to another one ends this message. This is said "
    "once per field"
)


_MOST = 20
"""How many fields of a class are told of: keys may be data, where a dict became a class."""


class UnknownFields:
    """Tells the log of each field that is stored and that a class has not, once.

    A field that was renamed would be lost without a word, as a field that was dropped is passed
    over.

    Args:
        cls: The class.
        known: The names of its fields, the former ones included.
        event_type: The type of the events; empty: the log is told nothing.
    """

    def __init__(self, cls: type, known: frozenset[str], event_type: str) -> None:
        self._name = cls.__name__
        self._told = set(known)
        self._left = _MOST if event_type else 0
        self._event_type = event_type

    def look(self, tree: dict[str, Any]) -> None:
        """Look for some, in a tree whose number of fields says that there are."""
        if self._left and not tree.keys() <= self._told:
            for odd in sorted(tree.keys() - self._told)[: self._left]:
                self._told.add(odd)
                self._left -= 1
                field = shown(odd)
                logger.warning(_MESSAGE, self._event_type, field, shortened(self._name), field)
