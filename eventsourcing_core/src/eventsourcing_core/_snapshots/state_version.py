"""What a snapshot must have been made by to be used for a class."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.known_types import known_types_of
from eventsourcing_core._errors import SnapshotError
from eventsourcing_core._names import full_name_of
from eventsourcing_core._state.state import state_of

_found: WeakKeyDictionary[type, tuple[int, str]] = WeakKeyDictionary()
"""By class, and when: types may be registered later."""


def state_version_of(cls: type[Aggregate]) -> str:
    """Give the numbers that a class and its bases state, and a hash of what its state depends on.

    That is its name and layout, the types of events that are known to it, and the upcasters that
    lead to them: a program with others may make another state of the same events, or meet an event
    that it does not know. The number of a base counts also where a class has one of its own:
    ``apply`` may call the one above.

    Raises:
        SnapshotError: An attribute has a type that cannot be stored, and the class does not convert
            its state itself.
    """
    generation = cls.event_types.generation
    known = _found.get(cls)
    if known is None or known[0] != generation:
        known = _found[cls] = (generation, _computed(cls))
    return known[1]


def _computed(cls: type[Aggregate]) -> str:
    try:
        layout = state_of(cls).layout
    except SnapshotError:
        if cls.snapshot_state is Aggregate.snapshot_state:
            raise
        layout = "its own"
    stated = [
        str(vars(base)["state_version"])
        for base in cls.__mro__
        if base is not Aggregate and "state_version" in vars(base)
    ]
    from hashlib import sha256  # noqa: PLC0415 - it takes longer to import than the core may take

    numbers = ".".join(stated or [str(Aggregate.state_version)])
    text = f"{full_name_of(cls)}\n{layout}\n{known_types_of(cls)}"
    return f"{numbers}:{sha256(text.encode()).hexdigest()[:16]}"
