"""``eventsourcing transform``: a store, through the upcasters of a program, into a new one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import OneObject, Transformers, examples
from eventsourcing_cli._collecting import rare_collections
from eventsourcing_cli._errors import NothingFoundError, interruption_says
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._evolution.loading import event_types_of
from eventsourcing_cli._progress import staged_progress
from eventsourcing_cli._projections.running import ended_by_signal
from eventsourcing_cli._store import looked_into
from eventsourcing_core import open_backend
from eventsourcing_core.evolution import transform as transform_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core import Backend, EventTypes
    from eventsourcing_core.evolution import Transformed, TransformProgress

_MOMENT = 5.0  # seconds that moving and comparing what came meanwhile takes, then one can switch
_GOES_ON = 1
"""The exit code where the source has more events by now."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing transform sqlite:///bank.db sqlite:///new.db --events bank.events",
            "eventsourcing transform postgresql://host/bank postgresql://host/new "
            "--events bank.events --follow",
        )
    )(transform)


def transform(  # noqa: PLR0913 - the options of the command
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", show_default=False, help="The store with the events, as a URL."
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            show_default=False,
            help="A new store, as a URL; or the one that this command has begun.",
        ),
    ],
    *,
    events: Annotated[
        str,
        typer.Option(
            "--events",
            metavar="MODULE",
            show_default=False,
            help="The event types and upcasters, as bank.events: a module that defines or imports "
            "them; or bank.events:TYPES, a registry of its own in it.",
        ),
    ],
    serializer: Annotated[
        str, typer.Option(metavar="NAME", help="What the new store keeps the events in.")
    ] = "json",
    transformers: Transformers = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C or SIGTERM."),
    ] = False,
    as_json: OneObject = False,
) -> int:
    """Move a store through upcasters into a new one, and compare both.

    Each event is written under the name and in the form of today. The source may be written
    meanwhile. With --follow it goes on until Ctrl-C or SIGTERM: stop what writes the source, and
    then end it so; it takes the last events, and compares them. A second signal ends it where it
    stands. After an interruption the same command goes on.

    The exit code is 0 if the target has all events of the source, and 1 if there are more by now,
    or if somebody is appending.
    Snapshots are not moved: they are taken again.
    """
    if source == target:
        message = "SOURCE and TARGET are one store: give the URL of a new one as TARGET"
        raise ValueError(message)
    types = event_types_of(events)

    def opened() -> AbstractAsyncContextManager[Backend]:
        return open_backend(
            target, serializer=serializer, transformers=transformers or [], event_types=types
        )

    says = interruption_says("what was moved is whole; the same command goes on after it")
    with says, rare_collections():
        moved = asyncio.run(_transformed(source, opened, types, follow=follow))
    if not moved.last_position:
        message = "no events in SOURCE, and so nothing to move"
        raise NothingFoundError(message)
    if as_json:
        typer.echo(escaped(json.dumps(_facts(moved))))
    else:
        typer.echo(escaped(_said(moved)))
    return _GOES_ON if moved.lag or moved.appenders else 0


async def _transformed(
    source: str,
    opened: Callable[[], AbstractAsyncContextManager[Backend]],
    event_types: EventTypes,
    *,
    follow: bool,
) -> Transformed:
    async with looked_into(source, event_types) as old, opened() as new:
        with staged_progress() as tell:
            stores = (old.event_store, new.event_store)
            if not follow:
                return await transform_store(*stores, on_progress=_teller(tell))
            with ended_by_signal() as finish:
                told = _told_when_to_switch(_teller(tell))
                return await transform_store(*stores, finish=finish, on_progress=told)


def _teller(tell: Callable[[str, int, int], None]) -> Callable[[TransformProgress], None]:
    def told(now: TransformProgress) -> None:
        what = now.stage if now.stage != "following" else f"following, {now.lag:,} behind"
        tell(what, now.position, max(now.last_position, now.position))

    return told


def _told_when_to_switch(
    tell: Callable[[TransformProgress], None], clock: Callable[[], float] = monotonic
) -> Callable[[TransformProgress], None]:
    """Say once, beside how far it is, that the rest takes only a moment."""
    is_said, caught_up_at = False, clock()

    def told(now: TransformProgress) -> None:
        nonlocal is_said, caught_up_at
        tell(now)
        if now.stage == "following" and not is_said:
            before, caught_up_at = caught_up_at, clock()
            is_said = caught_up_at < before + _MOMENT
            if is_said:
                typer.echo(
                    f"all up to position {now.position:,} is moved and compared, {now.lag:,} are "
                    "to come: to switch, stop what writes the source, and then end this with "
                    "Ctrl-C or SIGTERM",
                    err=True,
                )

    return told


def _facts(moved: Transformed) -> dict[str, object]:
    return {**asdict(moved), "lag": moved.lag}


def _said(moved: Transformed) -> str:
    line = (
        f"{moved.source_events:,} events became {moved.target_events:,}, of which this run wrote "
        f"{moved.written:,}; both stores were compared"
    )
    if moved.lag:
        return (
            f"{line} up to position {moved.position:,}, and the source goes on to "
            f"{moved.last_position:,}: stop what writes it, and give the same command again; "
            "--follow goes on meanwhile"
        )
    if moved.appenders:
        return (
            f"{line} up to position {moved.position:,}, and {moved.appenders:,} are appending to "
            "the source, which hides what came after they began: end them, `eventsourcing stats` "
            "says who they are, and give the same command again"
        )
    return f"{line}, and the target has all: switch to it"
