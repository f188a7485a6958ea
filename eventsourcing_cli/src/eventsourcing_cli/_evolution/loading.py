"""The user's event types, named as MODULE or MODULE:REGISTRY, and folders of frozen ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, cast

import typer

from eventsourcing_cli._projections.loading import CodeError, attribute, imported
from eventsourcing_core import EventCodec, EventTypes

Module = Annotated[
    str,
    typer.Argument(
        metavar="MODULE",
        show_default=False,
        help="The event types, as bank.events: a module that defines or imports them; or "
        "bank.events:TYPES, a registry of its own in it.",
    ),
]
DEFAULT_FOLDER = Path("frozen")


def event_types_of(code: str) -> EventTypes:
    """Import what a text such as ``bank.events`` names, and give the registry of its event types.

    Raises:
        CodeError: It cannot be imported, or there is no registry of that name; or it is empty.
    """
    module, _, name = code.partition(":")
    found = imported(module)
    types = attribute(found, module, name) if name else EventCodec().event_types
    if not isinstance(types, EventTypes):
        message = f"{code} is no EventTypes: it is {types!r:.200}"
        raise CodeError(message)
    if not types.classes:
        message = (
            f"{code} has no event types: name a module that defines or imports them, or the "
            "registry that they are in, as bank.events:TYPES"
        )
        raise CodeError(message)
    return types


def payloads_of(code: str) -> Iterable[object]:
    """Import what a text such as ``bank.samples:EVENTS`` names: payloads, or what gives them.

    Raises:
        CodeError: It cannot be imported, or is something else.
    """
    module, _, name = code.partition(":")
    found = attribute(imported(module), module, name) if name else None
    if callable(found):
        found = found()
    if not isinstance(found, Iterable) or isinstance(found, str):
        message = (
            f"{code} is no list of events, nor a function that gives one: write the module, a "
            "colon, and what is in it, as bank.samples:EVENTS"
        )
        raise CodeError(message)
    return cast("Iterable[object]", found)
