"""What is computed once for each class, and forgotten with the class."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def once_per_class(compute: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """Keep what a function gives for a class; ``functools.cache`` would keep the class, too.

    Classes that were defined again, or in a test, would then stay for ever, and with them their
    categories. What the function gives may not refer to the class.
    """
    known: WeakKeyDictionary[type, T] = WeakKeyDictionary()

    @wraps(compute)
    def look_up(cls: type[Any]) -> T:
        if cls not in known:
            known[cls] = compute(cls)
        return known[cls]

    return look_up
