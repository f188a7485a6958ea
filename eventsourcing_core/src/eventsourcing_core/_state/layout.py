"""The layout of typed values as a text: what a stored state must agree with to be read back.

The text must be the same in every process, so its parts are sorted where their order says nothing:
``typing`` caches what it makes, and which of ``list[int | str]`` and ``list[str | int]`` a program
gets depends on what was imported first. And each class is described once, beside the others, and
not where it is first met.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from eventsourcing_core._names import full_name_of
from eventsourcing_core._payloads.annotations import (
    is_alias,
    is_union,
    members_of,
    unwrapped,
    value_of,
)
from eventsourcing_core._payloads.converter import fields_of, has_fields

if TYPE_CHECKING:
    from collections.abc import Mapping


def layout_of(hints: Mapping[str, Any]) -> str:
    """Describe attributes by name and type, and below them every class that their types name."""
    layout = _Layout()
    attributes = [f"{name}: {layout.text(hint)}" for name, hint in sorted(hints.items())]
    return "\n".join([*attributes, *sorted(layout.classes.values())])


class _Layout:
    """Collects the descriptions of the classes that hints lead to."""

    def __init__(self) -> None:
        self.classes: dict[type, str] = {}
        self._aliases: list[Any] = []  # that are being described: one may refer to itself

    def text(self, hint: Any) -> str:
        hint = unwrapped(hint)
        if is_alias(hint):
            return self._alias(hint)
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return f"Literal[{', '.join(sorted(map(repr, arguments)))}]"
        if is_union(hint):
            return " | ".join(sorted(self.text(member) for member in members_of(hint)))
        if origin is not None:
            inner = ["..." if item is Ellipsis else self.text(item) for item in arguments]
            return f"{origin.__name__}[{', '.join(inner)}]"
        if isinstance(hint, type) and (has_fields(hint) or issubclass(hint, Enum)):
            self._describe(hint)
            return full_name_of(hint)
        return "Any" if hint is Any else str(getattr(hint, "__name__", hint))

    def _alias(self, alias: Any) -> str:
        """Describe what an alias names: to give a type a name changes nothing that is stored."""
        if alias in self._aliases:
            return str(alias)
        self._aliases.append(alias)
        text = self.text(value_of(alias))
        self._aliases.pop()
        return text

    def _describe(self, cls: type) -> None:
        if cls in self.classes:
            return
        self.classes[cls] = ""  # a class may refer to itself
        if issubclass(cls, Enum):
            parts = sorted(f"{member.name} = {member.value!r}" for member in cls)
        else:
            parts = sorted(
                f"{name}{'?' if options.get('optional') else ''}: {self.text(hint)}"
                for name, hint, options in fields_of(cls, cls.__name__)
            )
        self.classes[cls] = f"{full_name_of(cls)}({', '.join(parts)})"
