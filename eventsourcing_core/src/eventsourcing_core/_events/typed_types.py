"""Which event classes a typed codec reads and writes: decided once for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._payloads.shapes import OtherShape, RecordShape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core._payloads.hints import Conversion
    from eventsourcing_core._payloads.shapes import TypedCodec


class TypedWay(NamedTuple):
    """How payloads of one class become bytes of one serializer, and come back."""

    write: Callable[[Any], bytes]
    """Gives the bytes of a payload; raises where the converter and the serializer are to."""
    read: Callable[[bytes], object]
    """Gives the payload of bytes; raises as ``write`` does."""


class TypedTypes(dict[str, TypedWay | None]):
    """What a typed codec has compiled, by stored name; None where it leaves a class alone.

    A name is looked up for every event, so that this is a dict that fills itself.

    Args:
        codec: The codec.
        conversions: The conversions of a registry: a live view.
    """

    def __init__(self, codec: TypedCodec, conversions: Mapping[str, Conversion]) -> None:
        super().__init__()
        self._codec = codec
        self._conversions = conversions

    @property
    def described(self) -> str:
        """What says who it is."""
        return f"{type(self._codec).__module__.partition('.')[0]} does it, for {self._codec.name!r}"

    def __missing__(self, name: str) -> TypedWay | None:
        if name not in self._conversions:  # it may get a class later
            return None
        decided = self.decide(name)
        functions = None if isinstance(decided, str) else decided
        self[name] = functions
        return functions

    def decide(self, name: str) -> TypedWay | str:
        """Compile a class anew; or give the reason why it is left alone."""
        shape = self._conversions[name].shape
        if isinstance(shape, RecordShape):
            functions = self._codec.compile(shape)
            if isinstance(functions, str):
                return functions
            return TypedWay(shape.into(functions.gather, functions.write), functions.read)
        return shape.reason if isinstance(shape, OtherShape) else "it has no fields by name"
