"""What stored values of a class look like, for who reads and writes them without a tree.

The converter says it of each class that it compiles. A plugin makes of it what reads the bytes of
one serializer at once. It reads less than the converter: whatever it refuses, the converter is
asked, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

Convert: TypeAlias = Callable[[Any], Any]


class PlainShape(NamedTuple):
    """A value that is stored as itself."""

    kind: type
    """``NoneType``, ``bool``, ``int``, ``float``, ``str`` or ``bytes``."""


class WrittenShape(NamedTuple):
    """A value that stands as a plain one: a UUID as its text, a member of an Enum as its value."""

    kinds: frozenset[type]
    """The types of what is stored, some of those of ``PlainShape``."""
    decode: Convert
    """Gives the value of what is stored; raises where there is none."""


class ItemsShape(NamedTuple):
    """A list, a tuple, a set or a frozenset: a list."""

    item: Shape
    """That of each item."""
    make: Callable[[Any], Any]
    """The type of the value; it takes an iterable of items."""


class FixedShape(NamedTuple):
    """A tuple of a fixed length: a list."""

    items: tuple[Shape, ...]
    """Those of its items."""


class MappingShape(NamedTuple):
    """A dict with ``str`` keys: a dict."""

    value: Shape
    """That of each value."""


class PairsShape(NamedTuple):
    """A dict with other keys: a list of pairs."""

    key: Shape
    """That of each key."""
    value: Shape
    """That of each value."""


class OptionalShape(NamedTuple):
    """None, which is stored as null, or a value."""

    value: Shape
    """That of the value."""


class RecordField(NamedTuple):
    """A field of a record."""

    name: str
    """Its stored name."""
    shape: Shape
    """That of its value."""
    can_lack: bool
    """Whether what is stored may lack it."""


class RecordShape(NamedTuple):
    """An object of a class with named fields: a dict."""

    fields: tuple[RecordField, ...]
    """Its fields. What is stored may have others, of the past; they are passed over."""
    assemble: Assemble
    """Gives the function that builds the object."""
    into: Callable[[Callable[..., object], Callable[[Any], bytes]], Callable[[Any], bytes]]
    """Gives the function that writes an object with ``TypedFunctions.gather`` and ``write``; it
    checks all that the converter does."""


class OtherShape(NamedTuple):
    """What only the converter reads."""

    reason: str
    """Why."""


class Assemble(Protocol):
    """Compiles the function that builds an object of what was read of its fields."""

    def __call__(
        self, read: Convert | None, finish: Sequence[Convert | None], lacking: object
    ) -> Convert:
        """Give the function.

        Args:
            read: Gives, of what the function is called with, an object with what was read as its
                attributes ``f0``, ``f1`` …, in the order of the fields; None: it is called with
                that object.
            finish: For each field, what makes its value of what was read; None: it is the value.
            lacking: What stands where a field is missing; its default takes its place.
        """
        ...


Shape: TypeAlias = (
    PlainShape
    | WrittenShape
    | ItemsShape
    | FixedShape
    | MappingShape
    | PairsShape
    | OptionalShape
    | RecordShape
    | OtherShape
)
"""What stored values of a hint look like."""

SELF_REFERRING = OtherShape("it refers to itself")


class TypedFunctions(NamedTuple):
    """How the fields of one class become bytes of one serializer, and come back as its objects."""

    gather: Callable[..., object]
    """Takes the tree of each field, in their order; gives what ``write`` takes."""
    write: Callable[[Any], bytes]
    """Gives the bytes, as the serializer would; raises where it cannot."""
    read: Callable[[bytes], object]
    """Gives the payload of bytes; raises where it is not sure of it."""


@runtime_checkable
class TypedCodec(Protocol):
    """Reads and writes what a serializer does, faster, for the classes that it can; a plugin.

    It writes what the serializer reads, and reads what the serializer wrote: the same values, of
    the same types. Where it raises, whatever it is, the serializer and the converter are asked
    in its place. So it must refuse whatever they refuse, and may refuse more.
    """

    @property
    def name(self) -> str:
        """The stored name of the serializer."""
        ...

    def compile(self, shape: RecordShape) -> TypedFunctions | str:
        """Give the functions of a class; or the reason why there are none."""
        ...


class TypedDecision(NamedTuple):
    """Whether a class's payloads become bytes, and come back, without a tree between."""

    is_typed: bool
    """True: a plugin does it; False: the converter and the serializer do."""
    reason: str
    """Which plugin; or why not, naming the field that decided it."""
