"""Who has which category: two classes with one would write to the same streams."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from eventsourcing_core._errors import shown
from eventsourcing_core._names import full_name_of

if TYPE_CHECKING:
    from eventsourcing_core._events.event_types import EventTypes

# By registry: aggregates that have one of their own belong to another application.
_owners: WeakKeyDictionary[EventTypes, WeakValueDictionary[str, type]] = WeakKeyDictionary()


def check_category(category: object, what: str) -> None:
    """Refuse what cannot be a category; ``what`` is its name in the message.

    Raises:
        TypeError: It is not a text.
        ValueError: It is empty, or holds a ``-``.
    """
    if not isinstance(category, str):
        message = f"{what} is a str, got {shown(category)}"
        raise TypeError(message)
    if not category or "-" in category:
        message = (
            f"{what} must not be empty or hold a '-', got {shown(category)}: the first '-' of a "
            "stream id is where the category ends"
        )
        raise ValueError(message)


def claim(category: str, cls: type, event_types: EventTypes, *, is_given: bool) -> None:
    """Note that a category belongs to a class, or refuse the class if it is another one's.

    A class that is defined again, by a reload or in a notebook, takes its category over. A class
    may share the category of its base, as it is one of its kind. A class in a function that was
    given no category may have the name of another one by chance: tests have many such.

    Raises:
        ValueError: Another class has the category.
    """
    owners = _owners.setdefault(event_types, WeakValueDictionary())
    owner = owners.get(category, cls)
    if not _is_related(owner, cls, category) and (is_given or "<locals>" not in cls.__qualname__):
        del owner  # else it would be kept
        # A class that nobody uses any more is in a cycle, and still there. Twice, as the page of an
        # aggregate in the notebook, which goes with the aggregate, knows its repository.
        gc.collect()
        gc.collect()
        owner = owners.get(category, cls)
        if not _is_related(owner, cls, category):
            message = (
                f"{full_name_of(owner)} has the category {category!r} already, and "
                f"{full_name_of(cls)} would write to its streams: give one of them another category"
            )
            raise ValueError(message)
    if category not in owners or full_name_of(owner) == full_name_of(cls):
        owners[category] = cls


def _is_related(owner: type, cls: type, category: str) -> bool:
    """Tell whether two classes, or bases of theirs with this category, are one.

    They are compared by place: a base may have been defined again since.
    """
    return not _places(owner, category).isdisjoint(_places(cls, category))


def _places(cls: type, category: str) -> set[str]:
    return {full_name_of(base) for base in cls.__mro__ if vars(base).get("category") == category}
