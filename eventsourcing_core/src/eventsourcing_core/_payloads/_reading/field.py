"""The stored fields of a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from eventsourcing_core._payloads.shapes import SELF_REFERRING, Shape

Convert = Callable[[Any], Any]


class Field(NamedTuple):
    """One stored field of a class."""

    name: str
    """Its name in the class, and in the tree."""
    encode: Convert
    """Value to tree."""
    decode: Convert
    """Tree to value."""
    atom: type | None = None
    """The type whose values need no conversion."""
    default: Callable[[], Any] | None = None
    """Makes the value of a field that was added after the event was stored."""
    keyword: bool = False
    """Whether the constructor takes it by keyword only."""
    optional: bool = False
    """Whether a TypedDict may lack it."""
    shape: Shape = SELF_REFERRING
    """What is stored of it."""
    former: tuple[str, ...] = ()
    """What it was called in the tree before."""
