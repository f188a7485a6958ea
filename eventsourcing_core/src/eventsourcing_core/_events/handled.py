"""Which events a handler takes, by the annotation of its argument."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin

from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core._payloads.annotations import members_of
from eventsourcing_core._payloads.evaluation import annotations_of

_KNOWN = {"Event": Event, "RecordedEvent": RecordedEvent, "Sequence": Sequence, "Any": Any}
"""What annotations may name, although only type checkers import it."""


def payloads_named(handler: Any, parameter: str) -> list[Any]:
    """List what an argument may be that is the payload itself: ``A`` and ``B`` of ``A | B``.

    Raises:
        NameError: A name in the annotation is not there.
    """
    annotation = annotations_of(handler).get(parameter, Any)
    return _checked(members_of(_evaluated(annotation, handler)))


def payloads_of(handler: Any, parameter: str, kind: type[Event[Any]]) -> list[Any]:
    """List what events may hold: ``A`` and ``B`` of ``RecordedEvent[A | B]``; none if untold.

    Args:
        handler: A function.
        parameter: The name of its argument that is an event, or many.
        kind: ``Event`` or ``RecordedEvent``.

    Raises:
        NameError: A name in the annotation is not there.
    """
    # No other annotation is evaluated: a connection may be known to type checkers only.
    return _payloads_in(_evaluated(annotations_of(handler).get(parameter), handler), kind)


def _evaluated(annotation: object, handler: Any) -> object:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if not isinstance(text, str):
        return annotation
    names = {**_KNOWN, **inspect.unwrap(handler).__globals__}
    return eval(text, names)  # noqa: S307 - it is code of the user's own, as Python itself evaluates it


def _payloads_in(annotation: object, kind: type[Event[Any]]) -> list[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or (isinstance(origin, type) and issubclass(origin, Iterable)):
        return _payloads_in(arguments[0], kind)
    if origin in {Union, UnionType}:
        return [found for each in arguments for found in _payloads_in(each, kind)]
    if isinstance(origin, type) and issubclass(origin, kind):
        return _checked(members_of(arguments[0]))
    return []


def _checked(members: Iterable[Any]) -> list[Any]:
    found = [*members]
    for each in found:
        if isinstance(each, ForwardRef):
            raise NameError(each.__forward_arg__)  # noqa: TRY004 - it was a name that is not there
    return found
