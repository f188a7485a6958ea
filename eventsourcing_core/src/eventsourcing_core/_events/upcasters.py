"""``@upcaster``: how events that were stored in an older form are read as those of today."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from eventsourcing_core._errors import shown
from eventsourcing_core._events.chains import Upcaster
from eventsourcing_core._events.event_types import EventTypes, default_event_types

One = TypeVar("One", bound=Callable[[dict[str, Any]], dict[str, Any]])
Several = TypeVar("Several", bound=Callable[[dict[str, Any]], Iterable[tuple[str, dict[str, Any]]]])


@overload
def upcaster(source: str, /, *, to: str, event_types: EventTypes = ...) -> Callable[[One], One]: ...
@overload
def upcaster(
    source: str, /, *, to: tuple[str, ...], event_types: EventTypes = ...
) -> Callable[[Several], Several]: ...


def upcaster(
    source: str, /, *, to: str | tuple[str, ...], event_types: EventTypes = default_event_types
) -> Any:
    """Make a function read events that are stored under one name as those of another one.

    It takes the stored tree, a dict of plain values as the serializer gives it, before any class,
    and gives another one; it may change the one that it gets. It is pure, and a plain function.
    What is stored stays as it is. ::

        @upcaster("money.deposited", to="money.deposited.v2")
        def cents(data: dict[str, Any]) -> dict[str, Any]:
            return {"cents": data["amount"] * 100}

    With names in a tuple it makes any number of events of one, and gives pairs of a name and a
    tree; ``to=()`` drops all. They share the id, version, position, time and metadata of the stored
    event. ::

        @upcaster("order.changed", to=("order.renamed", "order.moved"))
        def split(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
            if "name" in data:
                yield "order.renamed", {"name": data["name"]}
            if "place" in data:
                yield "order.moved", {"place": data["place"]}

    Upcasters go on from each other by name: what is stored is ``to`` of one and ``source`` of the
    next, until the name of a class. When a codec is made, and so when a backend opens, all are
    checked: there is no circle, and each ends with a class.

    Args:
        source: The stored name; no class has it any more.
        to: The name of what it gives, or those of what it may give.
        event_types: The registry of both.

    Raises:
        TypeError: It is no plain function, or something else is of another type.
        ValueError: The name has an upcaster or a class already, or is among ``to``.
    """
    given: object = event_types
    if not isinstance(given, EventTypes):
        message = f"event_types is the registry, an EventTypes, got {shown(given)}"
        raise TypeError(message)
    names: object = to
    is_renaming = isinstance(names, str)
    if not isinstance(names, str | tuple):
        message = f"to is a name or a tuple of names, got {shown(names)}"
        raise TypeError(message)
    targets = (to,) if isinstance(to, str) else to

    def decorate(function: Any) -> Any:
        _check_plain(function, is_renaming=is_renaming)
        event_types.register_upcaster(Upcaster(source, targets, function, is_renaming))
        return function

    return decorate


def _check_plain(function: object, *, is_renaming: bool) -> None:
    if not callable(function) or isinstance(function, type):
        message = f"an upcaster is a function, got {shown(function)}"
        raise TypeError(message)
    for each in (function, getattr(function, "__call__", None)):  # noqa: B004 - it may be a coroutine function
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            message = (
                f"the upcaster {shown(function)} is a coroutine function: reading waits for "
                "nothing, so write it as a plain one"
            )
            raise TypeError(message)
    if is_renaming and inspect.isgeneratorfunction(function):
        message = (
            f"the upcaster {shown(function)} is a generator, which makes several events: give to= "
            "as a tuple of names"
        )
        raise TypeError(message)
