"""What is known of the place that a state has in a store, beside the state and not in it.

The user's objects hold nothing of the library's bookkeeping. Any object that can be referred to
weakly can have a page here; that is every one but plain values, such as an int or a dict. A page
goes when its object does. A copy of an object has a page of its own, on which nothing stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = -1
"""In place of the version of a state that is not what its events make of it."""


@dataclass(slots=True)
class StoredAs:
    """Which stored event a state ends with, and what else a repository knows of it."""

    version: int = 0
    """The version of that event; 0 if there is none, ``UNKNOWN`` if its state is not known."""
    position: int = 0
    """The position of that event; 0 if there is none."""
    event_id: bytes = b""
    """The id of that event."""
    snapshot_version: int | None = None
    """The version of the newest snapshot that it came from or made."""
    load_seconds: float | None = None
    """How long loading it took, unless a snapshot was tried since."""
    untyped: Mapping[str, int] = field(default_factory=dict[str, int])
    """The types of events in it that were read as dicts, by whoever read them, each with the
    version of the first one; 0 where only its snapshot knows."""
    in_doubt: tuple[int, ...] = ()
    """Of the first pending events: the sizes of the appends that may have stored them, or not."""
    home: object = None
    """What of a repository has loaded it; None if nothing has."""


# By identity: two objects that are equal have a place each, and some cannot be hashed.
_pages: dict[int, tuple[ref[object], StoredAs]] = {}


def stored_as(state: object) -> StoredAs:
    """Give the page of an object, to be read and written; an empty one if there is none yet."""
    found = _pages.get(id(state))
    if found is not None and found[0]() is state:
        return found[1]
    page = StoredAs()
    note(state, page)
    return page


def note(state: object, page: StoredAs) -> None:
    """Give an object a page in place of the one that it has."""
    key = id(state)

    def forget(gone: ref[object]) -> None:
        # Another object may have got the identity meanwhile.
        if (found := _pages.get(key)) is not None and found[0] is gone:
            del _pages[key]

    _pages[key] = (ref(state, forget), page)
