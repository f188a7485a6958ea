"""How the bytes of one encoding are read, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._errors import shown
from eventsourcing_core._payloads.shapes import TypedDecision

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core._encoding.pipeline import Pipeline
    from eventsourcing_core._events.event_types import EventTypes
    from eventsourcing_core._events.typed_types import TypedTypes


class Reader(NamedTuple):
    """How the bytes of one encoding are read."""

    read: Callable[[bytes], object]
    """Gives the tree."""
    typed: TypedTypes | None
    """What gives the payloads of some classes at once, of the bytes of the serializer."""
    restore: Callable[[bytes], bytes] | None
    """Gives the bytes of the serializer, where they are not what is stored."""

    @classmethod
    def of(cls, pipeline: Pipeline, event_types: EventTypes) -> Reader:
        """Give that of a pipeline, for the classes of a registry."""
        return cls(
            pipeline.read,
            None if pipeline.typed is None else event_types.typed_by(pipeline.typed),
            pipeline.restore if pipeline.transformers else None,
        )


def decision_about(cls: type, reader: Reader, event_types: EventTypes) -> TypedDecision:
    """Tell whether a class's payloads are read and written without a tree between.

    Raises:
        UnknownEventTypeError: The class is not registered.
        TypeError: It is no class.
    """
    given: object = cls
    if not isinstance(given, type):
        message = f"typed takes an event class, got {shown(given)}"
        raise TypeError(message)
    name = event_types.name_of(cls)
    if reader.typed is None:
        reason = (
            "no plugin does it for this serializer: for json and msgpack, given by name, "
            'pip install "eventsourcing-core[msgspec]"'
        )
        return TypedDecision(is_typed=False, reason=reason)
    decided = reader.typed.decide(name)
    if isinstance(decided, str):
        return TypedDecision(is_typed=False, reason=decided)
    return TypedDecision(is_typed=True, reason=reader.typed.described)
