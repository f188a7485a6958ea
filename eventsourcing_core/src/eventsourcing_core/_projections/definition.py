"""Definitions: what users wrote, checked before anything is stored."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from eventsourcing_core._errors import InvalidStreamIdError, ProjectionError, said_of, shown
from eventsourcing_core._events.event import RecordedEvent
from eventsourcing_core._events.handled import payloads_of
from eventsourcing_core._names import check_stream_id, full_name_of
from eventsourcing_core._projections.kinds import Follower, Projection, Reactor, View
from eventsourcing_core._projections.values import ValueCodec
from eventsourcing_core.stores._builds import Build, BuildSpec, ProjectionKind
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core._events.event_types import EventTypes

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MOST_VERSION = 1_000_000
_KINDS: dict[ProjectionKind, type[Follower]] = {
    ProjectionKind.VIEW: View,
    ProjectionKind.PROJECTION: Projection,
    ProjectionKind.REACTOR: Reactor,
}
_HANDLERS = {
    ProjectionKind.VIEW: ("evolve",),
    ProjectionKind.PROJECTION: ("apply", "apply_many"),
    ProjectionKind.REACTOR: ("react",),
}
_ANYTHING = frozenset({object, dict, Any})
"""What says nothing of the events."""


class Definition(NamedTuple):
    """A view, projection or reactor, checked."""

    follower: Follower
    spec: BuildSpec
    event_types: frozenset[str] | None
    """The names of the events that it is given, once they are read; None: all. Under which names
    they are stored is in the spec."""
    keys_of: Callable[[RecordedEvent[Any]], Collection[str]]
    """Gives the keys of an event, checked."""
    is_keyed_by_stream: bool
    """Whether the key of an event is the id of its stream."""
    values: ValueCodec[Any] | None
    """What encodes the values of a view."""

    @property
    def build(self) -> Build:
        """Its name and version."""
        return self.spec.build


def definitions_of(followers: object, event_types: EventTypes) -> list[Definition]:
    """Prepare what is to follow; see ``definition_of``.

    Raises:
        TypeError: It is not several.
    """
    if not isinstance(followers, Iterable):
        message = f"projections are given as a list, got {shown(followers)}: put it into one"
        raise TypeError(message)
    return [definition_of(each, event_types) for each in cast("Iterable[object]", followers)]


def definition_of(follower: object, event_types: EventTypes) -> Definition:
    """Check what a user wrote.

    Args:
        follower: A view, a projection or a reactor; an object, not the class.
        event_types: The registry of event classes.

    Raises:
        TypeError: It is none of them, or a handler is not what it must be.
        ValueError: A name, a version or an index cannot be.
        ProjectionError: Its events cannot be told.
        SerializationError: The type of a view's values cannot be stored.
        UnknownEventTypeError: The class of an event is not registered.
    """
    kind, known = _kind_of(follower)
    cls = type(known)
    name = check_name(getattr(cls, "name", None), cls)
    check_whole(f"{cls.__name__}.version", cls.version, lowest=1)
    if cls.version > _MOST_VERSION:
        message = f"{cls.__name__}.version is at most {_MOST_VERSION:,}, got {cls.version}"
        raise ValueError(message)
    handler = _handler_of(cls, kind)
    _check_others(cls)
    indexes, values = _values_of(known) if kind is ProjectionKind.VIEW else ((), None)
    types = _event_types_of(cls, handler, event_types)
    return Definition(
        known,
        BuildSpec(
            Build(name, cls.version),
            kind,
            cls.class_name or cls.__qualname__,
            indexes,
            None if types is None else tuple(sorted(event_types.stored_names(types))),
        ),
        types,
        _keys_of(known, may_be_several=kind is ProjectionKind.VIEW),
        getattr(cls, "key", None) is getattr(_KINDS[kind], "key"),  # noqa: B009 - as below
        values,
    )


def check_name(name: object, cls: type) -> str:
    """Refuse what cannot be the name of a projection.

    Raises:
        TypeError: It is no text, or there is none.
        ValueError: It has other characters, or too many.
    """
    if not isinstance(name, str):
        message = f"{cls.__name__} has no name: give it one, such as name = 'open-orders'"
        raise TypeError(message)
    if not _NAME.fullmatch(name):
        message = (
            f"{cls.__name__}.name is 1 to 40 of a-z, 0-9 and '-', a letter first, got {shown(name)}"
        )
        raise ValueError(message)
    return name


def check_key(key: object) -> str:
    """Refuse a key that some store could not keep.

    Raises:
        TypeError: It is no text.
        ValueError: It breaks the rule of stream ids.
    """
    if not isinstance(key, str):
        message = f"a key is a text, got {type(key).__name__}: {shown(key)}"
        raise TypeError(message)
    try:
        check_stream_id(key)
    except InvalidStreamIdError as error:
        message = f"invalid key {shown(key, 60)}: {error.reason}"
        raise ValueError(message) from None
    return str(key)


def value_hint_of(cls: type) -> Any:
    """Give the type of a view's values: ``list[str]`` of ``View[list[str]]``; Any if untold."""
    return _filled(_value_hint_in(cls), {})


def _value_hint_in(cls: type) -> Any:
    """Give the type of the values, in which parameters of the class may be left."""
    for base in cls.__dict__.get("__orig_bases__", cls.__bases__):
        origin: Any = get_origin(base) or base
        if origin is View:
            return (*get_args(base), Any)[0]
        if isinstance(origin, type) and issubclass(origin, View):
            generic: type[Any] = origin  # pyright: ignore[reportUnknownVariableType]  # of what, is asked here
            parameters: tuple[object, ...] = getattr(generic, "__parameters__", ())
            given = dict(zip(parameters, get_args(base), strict=False))
            return _filled(_value_hint_in(generic), given)
    return Any


def _filled(hint: Any, given: Mapping[object, Any]) -> Any:
    """Put types in the place of the parameters that are left in a hint; Any if untold."""
    if isinstance(hint, TypeVar):
        return given.get(hint, Any)
    left = getattr(hint, "__parameters__", ()) if get_origin(hint) else ()
    return hint[tuple(given.get(each, Any) for each in left)] if left else hint


def _kind_of(follower: object) -> tuple[ProjectionKind, Follower]:
    for kind, base in _KINDS.items():
        if isinstance(follower, base):
            return kind, follower
    if isinstance(follower, type):
        message = f"give an object of the class, {follower.__name__}(), not the class"
        raise TypeError(message)
    message = f"a projector runs views, projections and reactors, got {shown(follower)}"
    raise TypeError(message)


def _handler_of(cls: type[Follower], kind: ProjectionKind) -> str:
    """Give the name of the handler that a class has, the one that takes single events first."""
    base = _KINDS[kind]
    found: dict[str, Callable[..., Any]] = {
        name: getattr(cls, name)
        for name in _HANDLERS[kind]
        if getattr(cls, name) is not getattr(base, name)
    }
    if not found:
        message = f"{cls.__name__} has no handler: define {' or '.join(_HANDLERS[kind])}"
        raise TypeError(message)
    for name, handler in found.items():
        is_async = inspect.iscoroutinefunction(handler)
        if is_async == (kind is ProjectionKind.VIEW):
            needed = "a plain function: def" if is_async else "a coroutine function: async def"
            message = f"{cls.__name__}.{name} must be {needed} {name}(…)"
            raise TypeError(message)
    return next(iter(found))


def _check_others(cls: type[Follower]) -> None:
    """Refuse what would show only when events come: a wrong ``key``, ``create`` or ``start``."""
    key, create = (cast("object", getattr(cls, name, None)) for name in ("key", "create"))
    if inspect.iscoroutinefunction(key):
        message = f"{cls.__name__}.key must be a plain function: def key(…)"
        raise TypeError(message)
    if create is not None and not inspect.iscoroutinefunction(create):
        message = f"{cls.__name__}.create must be a coroutine function: async def create(…)"
        raise TypeError(message)
    start: object = getattr(cls, "start", "beginning")
    if issubclass(cls, Reactor) and start not in ("beginning", "now"):
        message = f"{cls.__name__}.start is 'beginning' or 'now', got {shown(start)}"
        raise ValueError(message)


def _values_of(view: Any) -> tuple[tuple[str, ...], ValueCodec[Any]]:
    cls: type[Any] = view.__class__
    name = cls.__name__
    given: object = view.indexes
    if not isinstance(given, tuple):
        message = f"{name}.indexes is a tuple of field names, got {shown(given)}"
        raise TypeError(message)
    values: ValueCodec[Any] = ValueCodec(value_hint_of(cls), name)
    values.check_fields(view.indexes)
    return view.indexes, values


def _event_types_of(
    cls: type[Follower], handler: str, registry: EventTypes
) -> frozenset[str] | None:
    given = cls.event_types
    if given is None:
        classes = _classes_of(cls, handler)
        return frozenset(map(registry.name_of, classes)) if classes else None
    if isinstance(given, str):
        message = f"{cls.__name__}.event_types is a collection, got the text {shown(given)}"
        raise TypeError(message)
    names = frozenset(registry.name_of(each) if isinstance(each, type) else each for each in given)
    if names and names <= registry.upcasters.keys():
        message = (
            f"{cls.__name__}.event_types names only {', '.join(map(repr, sorted(names)))}, and no "
            "event is read as that: an upcaster takes it, so name what that makes"
        )
        raise ValueError(message)
    return names - registry.upcasters.keys()


def _classes_of(cls: type, name: str) -> list[type]:
    """Give the classes of the events that a handler takes; none if its annotation does not say."""
    handler: Any = getattr(cls, name)
    parameters = list(inspect.signature(handler).parameters)
    place = 2 if name == "evolve" else 1
    if len(parameters) <= place:
        message = f"{cls.__name__}.{name} takes too few arguments"
        raise TypeError(message)
    try:
        payloads = payloads_of(handler, parameters[place], RecordedEvent)
    except NameError as error:
        message = (
            f"the event of {cls.__name__}.{name} has an annotation that cannot be evaluated "
            f"({said_of(error)}): import its classes at module level, also at run time, or list "
            "them in event_types"
        )
        raise ProjectionError(message) from error
    return [each for each in payloads if isinstance(each, type) and each not in _ANYTHING]


def _keys_of(
    follower: Follower, *, may_be_several: bool
) -> Callable[[RecordedEvent[Any]], Collection[str]]:
    key: Callable[[RecordedEvent[Any]], object] = getattr(follower, "key")  # noqa: B009 - the three kinds have one
    name = full_name_of(type(follower))

    def keys_of(event: RecordedEvent[Any]) -> Collection[str]:
        found: object = key(event)
        if found is None:
            return ()
        if isinstance(found, str):
            return (check_key(found),)
        if may_be_several and isinstance(found, Collection):
            several = cast("Collection[object]", found)
            return dict.fromkeys(check_key(each) for each in several)
        wanted = "a text, a collection of texts or None" if may_be_several else "a text or None"
        message = f"the key of {name} is {wanted}, got {shown(found)}"
        raise TypeError(message)

    return keys_of
