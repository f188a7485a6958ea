"""Defaults that a missing field may take when it is read: those that are the same at each load."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRIALS = 32
"""How often a default is made to see if it changes: one of two by chance, or a clock, does."""
_CONSTANT = (list, dict, set, frozenset, tuple, str, bytes, int, float, bool)


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

    def make() -> Any:
        if not verdicts:
            verdicts.append(_is_constant(lambda: encode(factory())))
        if not verdicts[0]:
            message = (
                f"{where} is missing in what is stored, and its default is another one each time: "
                "give the field a default that stays the same, such as None"
            )
            raise SerializationError(message)
        return factory()

    return make


def _is_constant(make: Callable[[], Any]) -> bool:
    first = make()
    if any(make() != first for _ in range(_TRIALS)):
        return False
    today = datetime.now(UTC).date()
    days = [(today + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
    return not any(text[:10] in days for text in _texts(first))  # in whatever time zone


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from _texts(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from _texts(item)
    elif isinstance(tree, datetime | date):
        yield tree.isoformat()
