"""The port of payload families: what a plugin says of the classes of one library.

It says what the fields of a class are, and how an object is made of them. What is stored is the
converter's own: it is what a dataclass with the same hints stores.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - readers of the port evaluate the hints
from typing import Any, NamedTuple, Protocol, runtime_checkable


class PayloadField(NamedTuple):
    """One field of a class of a family."""

    name: str
    """Its name as an attribute, under which it is stored; an identifier."""
    hint: Any
    """Its type, evaluated, ``Annotated`` included."""
    default: Callable[[], Any] | None = None
    """Gives the value of a field that is missing in what is stored: the same each time."""
    factory: Callable[[], Any] | None = None
    """Makes that value anew each time; reading refuses it if it is another one each time."""


class PayloadClass(NamedTuple):
    """What a family says of one of its classes."""

    fields: tuple[PayloadField, ...]
    """All that is stored."""
    make: Callable[..., object]
    """Makes an object; it is given every field by its name, as keyword arguments. It runs what the
    class checks, and raises what that raises, but without stored values in the text."""
    unstored: tuple[str, ...] = ()
    """Attributes that objects have beside their fields, and that ``make`` sets."""
    unfrozen: str = ""
    """What to write so that its objects cannot change; empty if they cannot. An event must not
    change; a value inside one may."""


@runtime_checkable
class PayloadFamily(Protocol):
    """Describes the classes of one library; a plugin."""

    @property
    def name(self) -> str:
        """The name of the family, such as ``attrs``."""
        ...

    def describe(self, cls: type) -> PayloadClass | None:
        """Describe a class; None if it is of another family.

        It is asked about classes of any kind that have a constructor of their own.

        Raises:
            SerializationError: Its objects could not come back equal; names the field and the cure.
        """
        ...
