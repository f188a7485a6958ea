"""The scalars that JSON and msgpack lack, and their text: the same for every serializer.

Names and codes are stored data: never renamed, never given to another type.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import SerializationError, shortened, shown
from eventsourcing_core._payloads.nesting import MAX_DEPTH, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

_MICROSECOND = timedelta(microseconds=1)


class Scalar(NamedTuple):
    """How one type of scalar becomes text, and comes back from it."""

    type: type
    """The type, exactly: a subclass is another type."""
    name: str
    """Its stored name, for formats that tag by name."""
    code: int
    """Its stored number, 0 to 127, for formats that tag by number."""
    to_text: Callable[[Any], str]
    """Give the text."""
    from_text: Callable[[str], Any]
    """Give the value; raises ``ValueError`` for other text."""


def _datetime_to_text(value: datetime) -> str:
    return _with_offset(value, datetime.isoformat(value))  # a subclass may have a form of its own


def _time_to_text(value: time) -> str:
    return _with_offset(value, time.isoformat(value))


def _with_offset(value: datetime | time, text: str) -> str:
    offset = value.utcoffset()
    if value.tzinfo is not None and (offset is None or offset.microseconds):
        message = f"{shown(value)} has no offset from UTC in whole seconds: it would not come back"
        raise ValueError(message)
    return text


def _timedelta_to_text(value: timedelta) -> str:
    return str(value // _MICROSECOND)


def _timedelta_from_text(text: str) -> timedelta:
    try:
        return timedelta(microseconds=int(text, 10))  # with a base, int takes texts only
    except OverflowError:
        message = f"not a timedelta in microseconds: {shown(text)}"
        raise ValueError(message) from None


def _decimal_from_text(text: Any) -> Decimal:
    if type(text) is list:  # Decimal takes the parts of a number, too
        message = "a decimal number is a text, found a list"
        raise TypeError(message)
    try:
        return Decimal(text)
    except ArithmeticError:
        message = f"not a decimal number: {shown(text)}"
        raise ValueError(message) from None


SCALARS = (
    Scalar(UUID, "uuid", 1, UUID.__str__, UUID),
    Scalar(datetime, "datetime", 2, _datetime_to_text, datetime.fromisoformat),
    Scalar(date, "date", 3, date.isoformat, date.fromisoformat),
    Scalar(time, "time", 4, _time_to_text, time.fromisoformat),
    Scalar(timedelta, "timedelta", 5, _timedelta_to_text, _timedelta_from_text),
    Scalar(Decimal, "decimal", 6, Decimal.__str__, _decimal_from_text),
)
"""The scalars beside None, bool, int, float, str and bytes. A timedelta is whole microseconds."""

SCALAR_BY_TYPE = {scalar.type: scalar for scalar in SCALARS}
SCALAR_BY_NAME = {scalar.name: scalar for scalar in SCALARS}

ATOMS = frozenset({type(None), bool, int, float, str, bytes})
LEAVES = ATOMS | SCALAR_BY_TYPE.keys()


def as_base(value: Any, kind: type) -> Any:
    """Give a scalar of a subclass as the scalar it is; None if it is not one of that type.

    Drivers, and libraries that enrich or freeze the clock, give subclasses of UUID and datetime. A
    datetime is not a date here, although Python says so: it would lose its time.
    """
    if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
        return None
    scalar = SCALAR_BY_TYPE[kind]
    plain = scalar.from_text(scalar.to_text(value))
    return plain if plain == value else None


_Place = str | tuple[Any, object]
"""A text, or the place of what holds a value and the value's key in it: most are never shown."""


def plain_tree(value: Any, where: _Place, room: int = MAX_DEPTH) -> Any:
    """Give a value as it comes back; refuse one that would come back as another.

    Allowed are None, bool, int, float, str, bytes, UUID, datetime, date, time, timedelta, Decimal,
    and lists and dicts (with ``str`` keys) of these; of exactly these types, since a subclass
    would come back as its base. Only a subclass of a scalar (from UUID on) is given as its base,
    in a copy of what holds it: such subclasses say the same.

    Args:
        value: The value.
        where: Its place, for messages.
        room: How many levels of lists and dicts it may have.

    Raises:
        SerializationError: Naming the place and what to do.
    """
    kind: type[object] = type(value)
    if kind in LEAVES:
        return value
    if kind is dict or kind is list:
        if not room:
            raise too_deep(_named(where).partition("[")[0])
        return (_plain_dict if kind is dict else _plain_list)(value, where, room - 1)
    for base in SCALAR_BY_TYPE:
        plain = as_base(value, base)
        if plain is not None:
            return plain
    message = (
        f"{_named(where)} is a {shortened(kind.__name__)}, which untyped data cannot hold: "
        "convert it to a plain value or a list, or give it a place in a class with typed fields"
    )
    raise SerializationError(message)


def _plain_dict(value: dict[Any, Any], where: _Place, room: int) -> dict[str, Any]:
    copy = value
    for key, item in value.items():
        if type(key) is not str:
            kind = shortened(type(key).__name__)
            message = f"{_named(where)} has the key {shown(key)}: keys must be str, got {kind}"
            raise SerializationError(message)
        if type(item) not in LEAVES:
            plain = plain_tree(item, (where, key), room)
            if plain is not item:
                copy = dict(value) if copy is value else copy
                copy[key] = plain
    return copy


def _plain_list(value: list[Any], where: _Place, room: int) -> list[Any]:
    copy = value
    for index, item in enumerate(value):
        if type(item) not in LEAVES:
            plain = plain_tree(item, (where, index), room)
            if plain is not item:
                copy = list(value) if copy is value else copy
                copy[index] = plain
    return copy


def _named(where: _Place) -> str:
    """Write a place as ``data['lines'][3]``, cut."""
    keys: list[str] = []
    while not isinstance(where, str):
        where, key = where
        keys.append(f"[{shown(key)}]")
    return shortened(where + "".join(reversed(keys)), 200)
