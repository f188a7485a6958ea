"""Code of the user's, named as MODULE:NAME: views, projections and reactors."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import contextmanager
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import typer

from eventsourcing_core import Projection, Reactor, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Follower = View[Any] | Projection[Any] | Reactor

_KINDS = (View, Projection, Reactor)


class CodeError(ValueError):
    """What was named cannot be imported, or is nothing that can be run."""


def followers_of(code: str) -> list[Follower]:
    """Import what a text such as ``bank.reading:PROJECTIONS`` names, and give what there is to run.

    It is a view, a projection or a reactor, an object or its class; or a collection of them; or a
    function that gives one of these. Modules are found from the working directory, too.

    Raises:
        CodeError: It cannot be imported, or is something else.
        typer.BadParameter: The text does not name anything.
    """
    module, _, name = code.partition(":")
    if not (module and name):
        message = (
            f"{code!r} names nothing: write the module, a colon, and what is in it, as "
            "bank.reading:PROJECTIONS"
        )
        raise typer.BadParameter(message, param_hint="CODE")
    found = attribute(imported(module), module, name)
    if callable(found) and not isinstance(found, type) and not _is_follower(found):
        found = _called(found, code)
    several = list(found) if _is_collection(found) else [found]
    if not several:
        message = f"{code} is empty: there is nothing to run"
        raise CodeError(message)
    return [_made(each, code) for each in several]


def imported(module: str) -> object:
    """Import a module, from the working directory, too.

    Raises:
        CodeError: There is none, or it cannot be imported.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    with _failing_as(f"importing {module}"):
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):
                raise  # it imports another one
            message = (
                f"there is no module {error.name!r}, neither installed nor in the working "
                f"directory: run this where `import {module}` works"
            )
            raise CodeError(message) from error


def attribute(found: object, module: str, name: str) -> object:
    """Give what a module has under a name, which may have dots in it.

    Raises:
        CodeError: There is none.
    """
    try:
        return attrgetter(name)(found)
    except AttributeError as error:
        message = f"the module {module!r} has no {name!r}"
        raise CodeError(message) from error


def _called(function: Callable[[], object], what: str) -> object:
    with _failing_as(f"calling {what}"):
        return function()


def _made(given: object, code: str) -> Follower:
    """Give an object, made of a class if need be."""
    made = given
    if isinstance(given, type) and issubclass(given, _KINDS):
        made = _called(cast("type[object]", given), f"{given.__name__} of {code}")
    if _is_follower(made):
        return made
    message = f"{code} is no view, projection or reactor, or a list of them: it is {made!r:.200}"
    raise CodeError(message)


def _is_collection(given: object) -> TypeGuard[Collection[object]]:
    is_one = isinstance(given, (str, type)) or _is_follower(given)
    return isinstance(given, Collection) and not is_one


def _is_follower(given: object) -> TypeGuard[Follower]:
    return isinstance(given, _KINDS)


@contextmanager
def _failing_as(what: str) -> Iterator[None]:
    """Say what was done when the user's code raises."""
    try:
        yield
    except CodeError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        message = f"{what} failed with {said}; --traceback shows where"
        raise CodeError(message) from error
