"""Defaults that a missing field may take when it is read: those that are the same at each load."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_TRIALS = 32
"""How often a default is made to see if it changes: one of two by chance, or a clock, does."""
_CONSTANT = (list, dict, set, frozenset, tuple, str, bytes, int, float, bool)
_UNITS = (1, 10**3, 10**6, 10**9)
"""What the units of clocks are in a second."""


class ChangingDefaultError(ValueError):
    """A value is missing in what is stored, and would be another one at each load."""


def made_alike(
    factory: Callable[[], Any], encode: Callable[[Any], Any], where: str
) -> Callable[[], Any]:
    """Give a function that makes the default of a field that an old event lacks.

    It refuses when it is first called, not when the class is registered: for a new event, an id or
    a time of its own is just right.

    Args:
        factory: The field's own.
        encode: Gives the tree of a value.
        where: The field, for messages.
    """
    if any(factory is kind for kind in _CONSTANT):  # it may have no hash
        return factory
    verdicts: list[bool] = []

    def tree() -> Any:
        value = factory()
        try:
            return encode(value)
        except (ValueError, TypeError, LookupError):  # of another type than its hint says
            return value

    def make() -> Any:
        if not verdicts:
            verdicts.append(_is_constant(tree))
        if not verdicts[0]:
            message = (
                f"{where} is missing in what is stored, and its default is another one each time: "
                "give the field a default that stays the same, such as None"
            )
            raise ChangingDefaultError(message)
        return factory()

    return make


def check_made_alike(
    make: Callable[[], object], names: Iterable[str], encoders: dict[str, Callable[[Any], Any]]
) -> None:
    """Check that a constructor gives fields that are not stored the same values each time.

    Those of ``field(init=False)`` are never stored, and any may be missing in what is.
    ``__post_init__`` can fill both with what is another one at each load.

    Args:
        make: Makes an object of the same arguments each time.
        names: The fields.
        encoders: What gives the trees of fields; those without one are compared as they are.

    Raises:
        ChangingDefaultError: It names the field.
    """
    first, others = make(), [make() for _ in range(_TRIALS)]
    for name in names:
        encode = encoders.get(name, _as_it_is)
        value = getattr(first, name, None)
        if any(_differ(value, getattr(other, name, None), encode) for other in others):
            message = (
                f"{type(first).__name__}.{name} is not stored, and would be another one each time: "
                "make it an argument of the constructor that the event is made with"
            )
            raise ChangingDefaultError(message)


def _differ(one: Any, other: Any, encode: Callable[[Any], Any]) -> bool:
    kind: Any = type(one)
    if kind.__eq__ is object.__eq__:  # a lock, say: nothing tells two of them apart
        return kind is not type(other)
    with suppress(ValueError, TypeError, LookupError):
        one, other = encode(one), encode(other)
    return bool(one != other) and repr(one) != repr(other)  # NaN differs from itself


def _as_it_is(value: Any) -> Any:
    return value


def _is_constant(make: Callable[[], Any]) -> bool:
    first = make()
    text = repr(first)  # by which NaN is NaN
    if any(repr(make()) != text for _ in range(_TRIALS)):
        return False
    today = datetime.now(UTC).date()
    days = [
        text
        for days in (-1, 0, 1)  # in whatever time zone
        for text in _written(today + timedelta(days=days))
    ]
    now, day = int(time.time()), 24 * 60 * 60
    return not any(
        any(text in leaf for text in days)
        if isinstance(leaf, str)
        else any((now - day) * unit < leaf < (now + day) * unit for unit in _UNITS)
        for leaf in _leaves(first)
    )


def _written(day: date) -> Iterator[str]:
    """Give the texts by which programs write a day."""
    yield day.isoformat()
    for form in ("%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y"):
        yield day.strftime(form)
    yield time.asctime(day.timetuple())[4:10]  # as in "Mon Nov 30 03:29:39 2026"


def _leaves(tree: Any) -> Iterator[str | float]:
    """Give the texts and numbers in a tree, the keys included."""
    if isinstance(tree, str | int | float):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from _leaves(item)
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(key)
            yield from _leaves(item)
    elif isinstance(tree, datetime | date):
        yield tree.isoformat()
