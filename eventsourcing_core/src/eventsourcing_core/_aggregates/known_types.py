"""Which types of events the program knows that an aggregate's class belongs to.

Two versions of a program may run side by side, and the older one does not know a type of events
that the newer one stores. It reads such events as dicts, and its ``apply`` passes over them: so the
state that it makes is not the right one, and neither what is decided by it nor a snapshot of it may
stay.

A type is known if the registry has a class for it. Where dicts are meant, all types are known: the
registry has no class at all, or ``apply`` takes ``Event[Opened | dict[str, Any]]``.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, get_origin

from eventsourcing_core._aggregates.aggregate import EVERY_TYPE, Aggregate
from eventsourcing_core._aggregates.decider_hints import function_of
from eventsourcing_core._errors import UnknownEventTypeError
from eventsourcing_core._events.event import Event
from eventsourcing_core._events.handled import payloads_named, payloads_of
from eventsourcing_core._state.per_class import once_per_class

if TYPE_CHECKING:
    from eventsourcing_core._aggregates.notebook import StoredAs


class Handled(NamedTuple):
    """What the ``apply`` of a class and of its bases say that they take."""

    classes: tuple[type, ...]
    """The classes of events, or bases of them."""
    is_all: bool
    """Whether these are all: no ``apply`` leaves it open, by ``Event[Any]`` or no annotation."""
    takes_dicts: bool
    """Whether one of them says that it takes dicts."""


@once_per_class
def handled_by(cls: type[Aggregate]) -> Handled:
    """Give what the annotations of ``apply`` say."""
    classes = list[type]()
    is_all, takes_dicts = True, False
    for base in cls.__mro__:
        apply = vars(base).get("apply")
        if apply is None or base is Aggregate or getattr(apply, "__isabstractmethod__", False):
            continue
        decider = vars(base).get("_decider")
        payloads = _payloads_of(apply) if decider is None else _payloads_for(decider.evolve)
        is_all &= bool(payloads)
        for each in payloads:
            kind = get_origin(each) or each
            if kind is dict or kind is Mapping:
                takes_dicts = True
            elif isinstance(kind, type) and kind not in {object, Any}:
                classes.append(kind)
            else:
                is_all = False
    return Handled(tuple(classes), is_all, takes_dicts)


def known_types_of(cls: type[Aggregate]) -> str:
    """Give a text of the types that are known to a class, and of the upcasters that lead to them.

    It says whether two programs make the same of a stream, as far as names tell. It has all types
    of the registry where ``apply`` does not say which ones it takes.
    """
    types, handled = cls.event_types, handled_by(cls)
    names: frozenset[str] = frozenset(types.classes)
    steps = {*types.upcasters}
    if handled.is_all:
        wanted = {*handled.classes}  # not by issubclass, which a TypedDict refuses
        classes = types.classes.items()
        names = frozenset(name for name, each in classes if wanted.intersection(each.__mro__))
        if not handled.takes_dicts:
            steps &= types.stored_names(names)
    chains = [f"{name}>{','.join(types.upcasters[name].to)}" for name in sorted(steps)]
    return "\n".join([*sorted(names), *chains])


def check_known(aggregate: Aggregate, stored: StoredAs, doing: str) -> None:
    """Refuse to keep a state that lacks what this program does not know.

    Args:
        aggregate: What it is the state of.
        stored: What is known of its events.
        doing: What is not done with it.

    Raises:
        UnknownEventTypeError: It names the type, the stream, the version and the cure.
    """
    found = unknown_type_in(stored.untyped, type(aggregate))
    if found is not None:
        name, version = found
        where = f"version {version}" if version else "an event before its snapshot"
        message = (
            f"{aggregate.stream_id!r} is not {doing}: {where} is of type {name!r}, which this "
            f"program does not know, so its state may be wrong: {cure_of(name, type(aggregate))}"
        )
        raise UnknownEventTypeError(message)


def unknown_type_in(untyped: Mapping[str, int], cls: type[Aggregate]) -> tuple[str, int] | None:
    """Give the first type that was read as a dict and concerns a class, with its place, if any.

    Args:
        untyped: The types of events that were read as dicts, each with a place.
        cls: The class that they were applied to.
    """
    if not untyped or cls.ignores == EVERY_TYPE:
        return None
    types = cls.event_types
    for name, place in untyped.items():
        if name in types.conversions or name in cls.ignores or not types.conversions:
            continue
        return None if handled_by(cls).takes_dicts else (name, place)
    return None


def cure_of(name: str, cls: type[Aggregate]) -> str:
    """Say what helps against a type that this program does not know."""
    return (
        "update this program to one that has a class for the type, or import its module; if such "
        f"events do not concern {cls.__name__}, say so in the class by ignores = ({name!r},)"
    )


def _payloads_for(evolve: Any) -> list[Any]:
    """Give what the ``evolve`` of a decider says."""
    function = function_of(evolve)
    try:
        *_, parameter = inspect.signature(evolve).parameters
        return payloads_named(function, parameter)
    except (NameError, TypeError, ValueError, AttributeError):  # as below
        return []


def _payloads_of(apply: Any) -> list[Any]:
    try:
        _, parameter, *_ = inspect.signature(apply).parameters
        return payloads_of(apply, parameter, Event)
    except (NameError, TypeError, ValueError, AttributeError):  # not said, or not so that it helps
        return []
