"""What the annotations of a decider's functions say: enough to see that they are exchanged."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any, cast, get_origin, get_type_hints

from eventsourcing_core._errors import shown


def function_of(given: Any) -> Any:
    """Give what is called in the end, of a partial or an object with ``__call__``."""
    while isinstance(given, partial):
        given = cast("Any", given.func)
    return given if inspect.isroutine(given) or inspect.isclass(given) else given.__call__


def check_not_swapped(decide: object, evolve: object, initial: object) -> None:
    """Refuse functions of which one says that it gives what the other one should.

    Raises:
        TypeError: ``decide`` says that it gives a state, or ``evolve`` that it gives events.
    """
    decided, evolved = _result_of(decide), _result_of(evolve)
    gives_state = _is_class(decided) and type(initial) is decided
    origin = get_origin(evolved) or evolved
    gives_events = (
        initial is not None and _is_of_several(origin) and not isinstance(initial, origin)
    )
    for is_so, name, says, wanted in (
        (gives_state, "decide", decided, "events in a list"),
        (gives_events, "evolve", evolved, f"a state, as the initial one: {shown(initial)}"),
    ):
        if is_so:
            message = (
                f"{name} says that it gives {shown(says)}, and it is to give {wanted}: the order "
                "is Decider(decide, evolve, initial)"
            )
            raise TypeError(message)


def _result_of(function: object) -> Any:
    """Give what a function says that it gives; None if it does not, or that cannot be told."""
    try:
        return get_type_hints(function_of(function)).get("return")
    except Exception:  # noqa: BLE001 - a name that is not there yet, a builtin: nothing is said
        return None


def _is_class(hint: object) -> bool:
    """Tell whether it is a class whose objects are no events in order."""
    return isinstance(hint, type) and hint not in {list, tuple} and not issubclass(hint, Iterator)


def _is_of_several(origin: Any) -> bool:
    """Tell whether it is what events in order are in, and what few states are."""
    return origin in {list, tuple} or (
        isinstance(origin, type)
        and origin.__module__ == "collections.abc"
        and issubclass(origin, Iterable | Collection)
    )
