"""What a snapshot must have been made by to be used for a class."""

from __future__ import annotations

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._errors import SnapshotError
from eventsourcing_core._names import full_name_of
from eventsourcing_core._state.per_class import once_per_class
from eventsourcing_core._state.state import state_of


@once_per_class
def state_version_of(cls: type[Aggregate]) -> str:
    """Give the numbers that a class and its bases state, and a hash of its name and layout.

    The number of a base counts also where a class has one of its own: ``apply`` may call the one
    above.

    Raises:
        SnapshotError: An attribute has a type that cannot be stored, and the class does not convert
            its state itself.
    """
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
    text = f"{full_name_of(cls)}\n{layout}"
    return f"{numbers}:{sha256(text.encode()).hexdigest()[:16]}"
