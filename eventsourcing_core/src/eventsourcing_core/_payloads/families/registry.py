"""The families that are installed, and the classes that they have described."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import sys
from enum import Enum
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from eventsourcing_core._payloads.families.family import PayloadClass, PayloadFamily


_CONSTRUCTORS = frozenset(("__init__", "__new__"))


class Families:
    """The families that are there.

    Plugins are found by a room above this one. They are looked for when the first class is met
    that is none of the library's own kinds, which is while modules are imported.
    """

    def __init__(self) -> None:
        self._find: Callable[[], Iterable[PayloadFamily]] = tuple

    def found_by(self, find: Callable[[], Iterable[PayloadFamily]]) -> None:
        """Set what finds the installed families."""
        self._find = find

    def describe(self, cls: Any) -> PayloadClass | None:
        """Describe a class; None if no family knows it.

        Raises:
            SerializationError: Its family refuses it.
            PluginError: A family cannot be made.
        """
        if _is_plain(cls):
            return None  # it does not make all plugins be imported
        for family in self._find():
            described = family.describe(cls)
            if described is not None:
                _check_names(cls, described)
                return described
        return None


families = Families()
"""Those of this process."""


def is_of_family(cls: Any) -> bool:
    """Tell whether a family describes a class."""
    return families.describe(cls) is not None


def extra_for(cls: type) -> str:
    """Say what to install for a class that is told by its form; empty for any other."""
    for mark, name in (("__attrs_attrs__", "attrs"), ("__pydantic_complete__", "pydantic")):
        if hasattr(cls, mark):
            return (
                f'for a class of {name}, pip install "eventsourcing-core[{name}]"; if it is '
                "installed, `eventsourcing plugins` says what is wrong with it"
            )
    return ""


def _is_plain(cls: Any) -> bool:
    """Tell whether a class has no constructor of its own, or is one of the standard library."""
    return (
        not isinstance(cls, type)
        or issubclass(cls, Enum | tuple)  # a NamedTuple has a __new__
        or cls.__module__ in sys.stdlib_module_names
        or all(_CONSTRUCTORS.isdisjoint(vars(base)) for base in cls.__mro__ if base is not object)
    )


def _check_names(cls: type, described: PayloadClass) -> None:
    for field in described.fields:
        if not field.name.isidentifier() or iskeyword(field.name):
            message = (
                f"{shortened(cls.__qualname__)} has a field called {shown(field.name)}, which is "
                "no name of an attribute: give it another one"
            )
            raise SerializationError(message)
