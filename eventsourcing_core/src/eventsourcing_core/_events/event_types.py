"""The registry of event types: which class is stored under which name."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

from eventsourcing_core._errors import UnknownEventTypeError, shortened, shown
from eventsourcing_core._names import check_event_type
from eventsourcing_core._payloads.converter import compile_conversion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core._payloads.hints import Conversion

C = TypeVar("C")


class EventTypes:
    """The event classes of an application, each under its stored name.

    Most applications use the default registry, which ``@event`` fills. A stored name is for ever:
    rename an event class if you like, and keep the name with ``@event("the.old.name")``. Classes
    in its fields are known by their fields; those in a union by their names, so keep these.

    Args:
        strict: Writing or reading an event whose type has no class raises
            ``UnknownEventTypeError``; else such events are plain dicts.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._names: dict[type, str] = {}
        self._classes: dict[str, type] = {}
        self._conversions: dict[str, Conversion] = {}

    def register(self, cls: type, name: str | None = None) -> None:
        """Register a payload class: a dataclass or a NamedTuple.

        Raises:
            SerializationError: If a hint of the class cannot be stored; it names the field.
            ValueError: If the name is taken by another class, or is no name a store can keep.
        """
        if not isinstance(cls, type):
            message = f"an event type is a class, got {shown(cls)}"
            raise TypeError(message)
        name = cls.__name__ if name is None else name
        check_event_type(name)
        taken = self._classes.get(name)
        if taken is not None and taken is not cls and not _is_redefinition(taken, cls):
            message = (
                f"the event type {name!r} is registered for {_place(taken)} already: "
                f"choose another name for {_place(cls)}, with @event('…')"
            )
            raise ValueError(message)
        if self._names.get(cls, name) != name:
            message = f"{_place(cls)} is registered as {self._names[cls]!r} already, not {name!r}"
            raise ValueError(message)
        self._conversions[name] = compile_conversion(cls)
        self._classes[name] = cls
        self._names[cls] = name

    def name_of(self, cls: type) -> str:
        """Give the stored name of a class.

        Raises:
            UnknownEventTypeError: If the class is not registered.
        """
        try:
            return self._names[cls]
        except KeyError:
            message = (
                f"{_place(cls)} is not a registered event class: decorate it with @event, "
                "or register it with EventTypes.register"
            )
            raise UnknownEventTypeError(message) from None

    @property
    def classes(self) -> Mapping[str, type]:
        """The registered classes by their stored names."""
        return dict(self._classes)

    @property
    def names(self) -> Mapping[type, str]:
        """The stored names by class: a live view."""
        return self._names

    @property
    def conversions(self) -> Mapping[str, Conversion]:
        """The compiled conversions by stored name: a live view, for the codec."""
        return self._conversions


default_event_types = EventTypes()
"""The registry that ``@event`` fills and that everything uses unless told otherwise."""


@overload
def event(cls: type[C], /) -> type[C]: ...
@overload
def event(
    name: str | None = None,
    /,
    *,
    event_types: EventTypes = ...,
) -> Callable[[type[C]], type[C]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def event(
    cls: type[Any] | str | None = None,
    /,
    *,
    event_types: EventTypes = default_event_types,
) -> Any:
    """Make a class an event: a frozen, slotted dataclass, registered under its name.

    ``@event`` takes the class's name, ``@event("account.opened")`` another one, and
    ``event_types=`` another registry. A frozen dataclass is registered as it is.

    >>> @event("doc.moved")
    ... class Moved:
    ...     to: str
    >>> Moved("Delft")
    Moved(to='Delft')

    Raises:
        SerializationError: If a field's hint cannot be stored; it names the field.
        ValueError: If another class has that name.
    """
    if cls is not None and not isinstance(cls, type | str):
        message = f"@event makes classes events, got {shown(cls)}"
        raise TypeError(message)
    if isinstance(cls, type):
        return _event_class(cls, None, event_types)

    def decorate(decorated: type[Any]) -> type[Any]:
        return _event_class(decorated, cls, event_types)

    return decorate


def _event_class(cls: type[Any], name: str | None, event_types: EventTypes) -> type[Any]:
    is_complete = "__dataclass_fields__" in vars(cls) or "_fields" in vars(cls)  # a NamedTuple
    if not is_complete:
        cls = dataclasses.dataclass(frozen=True, slots=True)(cls)
    elif "_fields" not in vars(cls) and not cls.__dataclass_params__.frozen:
        message = f"{_place(cls)} is a dataclass that can change: make it frozen"
        raise TypeError(message)
    event_types.register(cls, name)
    return cls


def _place(cls: type) -> str:
    return shortened(f"{cls.__module__}.{cls.__qualname__}", 200)


def _is_redefinition(old: type, new: type) -> bool:
    """Tell whether a class was typed in again, in a notebook or at the prompt."""
    interactive = not hasattr(sys.modules.get("__main__"), "__file__")
    return interactive and old.__module__ == "__main__" and _place(old) == _place(new)
