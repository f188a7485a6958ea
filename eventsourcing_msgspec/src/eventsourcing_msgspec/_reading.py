"""What msgspec is told to read, for what a class stores.

msgspec is told less than the class's own hints: of each field only what stands in the bytes, such
as the text of a date. The value is made of it by the converter's own function. So nothing is read
as something else than without msgspec; what is refused here, the converter is asked about. These
are the places where both would accept, and differ:

- A number for a field that is ``float``: beyond 2**53 an int may lose digits, which the converter
  refuses.
- Fields that the class does not have: msgspec does not look into them, and would not see damage.
- Dicts with a key that begins with a dollar sign, which may be marks of JSON or of a union.
- Numbers or bytes for ``Decimal`` and ``UUID``, and fractions of a second beyond microseconds.
"""

# What a hint is has no type that holds for all of them.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union

import msgspec

from eventsourcing_core.plugins import (
    FixedShape,
    ItemsShape,
    MappingShape,
    OptionalShape,
    OtherShape,
    PairsShape,
    PlainShape,
    RecordShape,
    Shape,
    WrittenShape,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# As types that are made at run time.
_dict: Any = dict
_list: Any = list
_tuple: Any = tuple
_union: Any = Union

_WHOLE = 2.0**53
_FLOAT: Any = Annotated[float, msgspec.Meta(gt=-_WHOLE, lt=_WHOLE)]


class NotAlikeError(Exception):
    """A class has something that msgspec would read or write in another way."""


def gathering(shape: RecordShape) -> Callable[..., object]:
    """Give a class that is written as a dict of the fields is, and is made and written sooner."""
    fields = [
        (f"f{number}", object, msgspec.field(name=field.name))
        for number, field in enumerate(shape.fields)
    ]
    return msgspec.defstruct("Written", fields, gc=False)


class Part(NamedTuple):
    """How a value is read."""

    hint: Any
    """What msgspec reads."""
    finish: Callable[[Any], Any] | None = None
    """Makes the value of it; None: it is the value."""


class Reading:
    """Compiles what msgspec reads for a class.

    Args:
        has_bytes: Whether the format has a form of its own for bytes.
    """

    def __init__(self, *, has_bytes: bool) -> None:
        self._has_bytes = has_bytes
        self.kinds: set[type] = set()
        """The types of the plain values so far."""
        self.has_mapping = False
        """Whether there is a dict so far whose keys are data."""

    def compile(
        self, shape: RecordShape, decoder: Callable[[Any], Callable[[bytes], object]]
    ) -> Callable[[bytes], object]:
        """Give what makes an object of bytes.

        Args:
            shape: That of its class.
            decoder: Gives what reads a hint.

        Raises:
            NotAlikeError: It has a field that msgspec would not read alike.
        """
        hint, parts = self._fields(shape)
        try:
            read = decoder(hint)
        except TypeError as error:  # two members of a union that look the same to msgspec
            raise NotAlikeError(str(error)) from error
        return shape.assemble(read, [part.finish for part in parts], msgspec.UNSET)

    def _fields(self, shape: RecordShape) -> tuple[Any, list[Part]]:
        """Give a class with the fields of another one, called ``f0``, ``f1`` …, and their parts."""
        parts = [self._part(field.shape) for field in shape.fields]
        fields: list[tuple[str, Any, Any]] = []
        for number, (field, part) in enumerate(zip(shape.fields, parts, strict=True)):
            default = msgspec.UNSET if field.can_lack else msgspec.NODEFAULT
            hint = _union[part.hint, msgspec.UnsetType] if field.can_lack else part.hint
            fields.append((f"f{number}", hint, msgspec.field(name=field.name, default=default)))
        cls = msgspec.defstruct("Read", fields, kw_only=True, forbid_unknown_fields=True, gc=False)
        return cls, parts

    def _part(self, shape: Shape) -> Part:  # noqa: PLR0911 - a line for each kind of shape
        match shape:
            case PlainShape(kind):
                return Part(self._plain(kind))
            case WrittenShape(kinds, decode):
                return Part(self._written(kinds), decode)
            case ItemsShape(item, make):
                return self._items(self._part(item), make)
            case FixedShape(items):
                return _fixed([self._part(item) for item in items])
            case MappingShape(value):
                return self._mapping(self._part(value))
            case PairsShape(key, value):
                return self._items(_fixed([self._part(key), self._part(value)]), dict)
            case OptionalShape(value):
                return _optional(self._part(value))
            case RecordShape():
                hint, parts = self._fields(shape)
                finish = [part.finish for part in parts]
                return Part(hint, shape.assemble(None, finish, msgspec.UNSET))
            case OtherShape(reason):
                raise NotAlikeError(reason)

    def _plain(self, kind: type) -> Any:
        if kind is bytes and not self._has_bytes:
            message = "the format has no form of its own for bytes"
            raise NotAlikeError(message)
        self.kinds.add(kind)
        return _FLOAT if kind is float else kind

    def _written(self, kinds: frozenset[type]) -> Any:
        if float in kinds:
            message = "an int and a float would be one to msgspec"
            raise NotAlikeError(message)
        return _union[tuple(map(self._plain, kinds))]

    def _items(self, item: Part, make: Callable[[Any], Any]) -> Part:
        hint, last = _list[item.hint], item.finish
        if last is None:
            return Part(hint, None if make is list else make)
        return Part(hint, lambda read: make([last(each) for each in read]))

    def _mapping(self, value: Part) -> Part:
        self.has_mapping = True
        last = value.finish

        def finish(read: dict[str, Any]) -> dict[str, Any]:
            for key in read:
                if key[:1] == "$":
                    message = "it may be a mark"
                    raise ValueError(message)
            return read if last is None else {key: last(each) for key, each in read.items()}

        return Part(_dict[str, value.hint], finish)


def _fixed(items: list[Part]) -> Part:
    hint = _tuple[tuple([item.hint for item in items])]
    if all(item.finish is None for item in items):
        return Part(hint)

    def finish(read: tuple[Any, ...]) -> tuple[Any, ...]:
        pairs = zip(items, read, strict=True)
        return tuple([each if item.finish is None else item.finish(each) for item, each in pairs])

    return Part(hint, finish)


def _optional(value: Part) -> Part:
    hint, last = _union[value.hint, None], value.finish
    return Part(hint, None if last is None else lambda read: None if read is None else last(read))
