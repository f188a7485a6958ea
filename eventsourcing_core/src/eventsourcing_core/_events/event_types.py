"""The registry of event types: which class is stored under which name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload
from weakref import WeakKeyDictionary

from eventsourcing_core._errors import SerializationError, UnknownEventTypeError, said_of, shown
from eventsourcing_core._events.chains import Chain, check_chains, names_leading_to
from eventsourcing_core._events.event_class import as_event_class
from eventsourcing_core._events.typed_types import TypedTypes
from eventsourcing_core._names import check_event_type, full_name_of
from eventsourcing_core._payloads.converter import compile_conversion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from eventsourcing_core._events.chains import Upcaster
    from eventsourcing_core._events.tags import Tagger
    from eventsourcing_core._payloads.hints import Conversion
    from eventsourcing_core._payloads.shapes import TypedCodec

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
        # Of classes that were defined again since, as long as anybody uses them.
        self._former_names: WeakKeyDictionary[type, str] = WeakKeyDictionary()
        self._typed: dict[TypedCodec, TypedTypes] = {}
        self.taggers: dict[str, Tagger] = {}
        """What gives the tags of payloads, by their stored name; for events."""
        self._upcasters: dict[str, Upcaster] = {}
        self._chains: dict[str, Chain] = {}
        self.generation: int = 0
        """How often anything was registered: what was found before may be another thing now."""

    def register(self, cls: type, name: str | None = None, *, tags: Tagger | None = None) -> None:
        """Register a payload class: a dataclass, a NamedTuple, or one of a payload family.

        Args:
            cls: The class.
            name: Its stored name; that of the class unless given.
            tags: Gives the tags of an object of it; none unless given.

        Raises:
            SerializationError: If a hint of the class cannot be stored; it names the field.
            ValueError: If a class that is defined elsewhere has the name, or no store can keep it.
        """
        if not isinstance(cls, type):
            message = f"an event type is a class, got {shown(cls)}"
            raise TypeError(message)
        name = cls.__name__ if name is None else name
        check_event_type(name)
        taken = self._classes.get(name, cls)
        if full_name_of(taken) != full_name_of(cls):
            message = (
                f"the event type {name!r} is registered for {full_name_of(taken)} already: "
                f"choose another name for {full_name_of(cls)}, with @event('…')"
            )
            raise ValueError(message)
        if self._names.get(cls, name) != name:
            message = (
                f"{full_name_of(cls)} is registered as {self._names[cls]!r} already, not {name!r}"
            )
            raise ValueError(message)
        if name in self._upcasters:
            raise _both(name, full_name_of(cls))
        conversion = compile_conversion(cls, name)
        if taken is not cls:
            del self._names[taken]
            self._former_names[taken] = name
            conversion = self._with_former_classes(conversion, name)
        self._conversions[name] = conversion
        self._classes[name] = cls
        self._names[cls] = name
        self.taggers.pop(name, None)
        if tags is not None:
            self.taggers[name] = tags
        for typed in self._typed.values():
            typed.pop(name, None)  # of the class that had the name before
        self.generation += 1

    def register_upcaster(self, upcaster: Upcaster) -> None:
        """Register an upcaster; one that is defined again in its place replaces the one before.

        Raises:
            ValueError: Its source has another one, or a class, or is among its targets.
        """
        source = upcaster.source
        for name in (source, *upcaster.to):
            check_event_type(name)
        if source in upcaster.to:
            message = (
                f"{upcaster.described} would come back to itself: give the new form a name of its "
                "own"
            )
            raise ValueError(message)
        other = self._upcasters.get(source, upcaster)
        if other.name != upcaster.name:
            message = (
                f"there are two ways out of {source!r}: {other.described}, and "
                f"{upcaster.described}; keep one, and let it lead to the other's name"
            )
            raise ValueError(message)
        if source in self._classes:
            raise _both(source, full_name_of(self._classes[source]))
        self._upcasters[source] = upcaster
        for each in self._upcasters:  # the others are found anew, too
            self._chains[each] = Chain(each, self._upcasters, self._conversions)
        self.generation += 1

    def check_upcasters(self) -> None:
        """See that each chain of upcasters has an end, and each end a class; for codecs.

        Raises:
            ValueError: It names the chain.
        """
        check_chains(self._upcasters, self._classes)

    def stored_names(self, names: Iterable[str]) -> frozenset[str]:
        """Give the names under which events of some types can be stored, by all upcasters."""
        return names_leading_to(names, self._upcasters)

    def name_of(self, cls: type) -> str:
        """Give the stored name of a class.

        Raises:
            UnknownEventTypeError: If the class is not registered.
        """
        try:
            return self._names[cls]
        except KeyError:
            if cls in self._former_names:
                return self._former_names[cls]
            message = (
                f"{full_name_of(cls)} is not a registered event class: decorate it with @event, "
                "or register it with EventTypes.register"
            )
            raise UnknownEventTypeError(message) from None

    def _with_former_classes(self, conversion: Conversion, name: str) -> Conversion:
        """Let objects of the classes that had a name before be stored as those that have it now."""

        def encode(value: object) -> object:
            kind = type(value)
            if self._former_names.get(kind) == name:
                value = _as_now(value, conversion)
            return conversion.encode(value)

        return conversion._replace(encode=encode)

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

    @property
    def upcasters(self) -> Mapping[str, Upcaster]:
        """The upcasters by the name that they take: a live view."""
        return self._upcasters

    @property
    def chains(self) -> Mapping[str, Chain]:
        """What upcasters make of trees, by their stored name: a live view, for the codec."""
        return self._chains

    def typed_by(self, codec: TypedCodec) -> TypedTypes:
        """Give what a typed codec has compiled of the classes: a live view, for the codec."""
        if codec not in self._typed:
            self._typed[codec] = TypedTypes(codec, self._conversions)
        return self._typed[codec]


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
    tags: Tagger | None = ...,
) -> Callable[[type[C]], type[C]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def event(
    cls: type[Any] | str | None = None,
    /,
    *,
    event_types: EventTypes = default_event_types,
    tags: Tagger | None = None,
) -> Any:
    """Make a class an event: a frozen dataclass, registered under its name; a plain one has slots.

    ``@event`` takes the class's name, ``@event("account.opened")`` another one, and
    ``event_types=`` another registry. A frozen dataclass is registered as it is, and so is a frozen
    class of a payload family. ``tags=`` is a function that takes the payload and gives the tags
    of the event: what it is about, beside its stream. See ``Query``. ::

        @event("student.enrolled", tags=lambda e: {f"course:{e.course}", f"student:{e.student}"})

    >>> @event("doc.moved")
    ... class Moved:
    ...     to: str
    >>> Moved("Delft")
    Moved(to='Delft')

    Raises:
        SerializationError: If a field's hint cannot be stored, or the class's family refuses it; it
            names the field.
        TypeError: If the class can change, or would lose checks of its own or of a base.
        ValueError: If a class that is defined elsewhere has that name.
    """
    if cls is not None and not isinstance(cls, type | str):
        message = f"@event makes classes events, got {shown(cls)}"
        raise TypeError(message)
    given: object = event_types
    if not isinstance(given, EventTypes):
        message = f"event_types is the registry, an EventTypes, got {shown(given)}"
        raise TypeError(message)
    if tags is not None and not callable(tags):
        message = f"tags is a function that takes the payload and gives its tags, got {shown(tags)}"
        raise TypeError(message)
    name = None if isinstance(cls, type) else cls

    def decorate(decorated: type[Any]) -> type[Any]:
        made = as_event_class(decorated)
        event_types.register(made, name, tags=tags)
        return made

    return decorate(cls) if isinstance(cls, type) else decorate


def _both(name: str, cls: str) -> ValueError:
    return ValueError(
        f"events that are stored as {name!r} go through an upcaster, so none is read as {cls}: "
        "remove the class, or register it under the name that the upcaster leads to"
    )


def _as_now(value: object, conversion: Conversion) -> object:
    """Give an object of a class that was defined again as one of the class as it is now."""
    kind = type(value)
    try:
        return conversion.decode(compile_conversion(kind).encode(value))
    except (ValueError, TypeError, LookupError) as error:
        message = (
            f"{full_name_of(kind)} was defined again since this object was made, and the class as "
            f"it is now cannot read it ({said_of(error)}): make the object again"
        )
        raise SerializationError(message) from error
