"""``eventsourcing compare``: who can read whose events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from eventsourcing_cli._arguments import AsJson, examples
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._evolution.loading import event_types_of
from eventsourcing_cli._projections.loading import CodeError
from eventsourcing_core.evolution import (
    Compatibility,
    compare_layouts,
    frozen_paths,
    layout_of,
    read_frozen,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core import EventTypes
    from eventsourcing_core.evolution import Change, Layout

    Layouts = dict[str, dict[int, Layout]]
    """By event type and number; what a module has is number 0."""

_TOO_LITTLE = 1
_FOLDER_OR_MODULE = "a folder of frozen events, or a module with event types, as bank.events"


class _Pair(NamedTuple):
    """What became of one layout of one event type."""

    event_type: str
    number: int
    what: str
    compatibility: Compatibility
    changes: tuple[Change, ...] = ()
    is_newest: bool = True


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing compare tests/frozen bank.events",
            "eventsourcing compare old/frozen new/frozen --require full --json",
        )
    )(compare)


def compare(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", show_default=False, help=f"What was: {_FOLDER_OR_MODULE}."),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", show_default=False, help="What is now, the same.")
    ],
    *,
    require: Annotated[
        Compatibility, typer.Option(help="What each type must be, else the exit code is 1.")
    ] = Compatibility.BACKWARD,
    as_json: AsJson = False,
) -> int:
    """Tell of each changed event type who can read whose events.

    backward: new code reads old events. forward: old code reads new events, as it must while both
    run. full: both. none: neither. Each layout of OLD is compared with the newest of NEW, since
    there are events of all of them. Old code has the newest layout of OLD: only that one has to
    read new events.
    """
    pairs = list(_compared(_layouts(old), _layouts(new)))
    for pair in pairs:
        if as_json:
            typer.echo(escaped(json.dumps(_facts(pair), ensure_ascii=False)))
        else:
            _say(pair)
    if not pairs and not as_json:
        typer.echo("nothing has changed")
    return 0 if all(_is_enough(pair, require) for pair in pairs) else _TOO_LITTLE


def _is_enough(pair: _Pair, require: Compatibility) -> bool:
    """Tell whether who has to can read whose events.

    There are events of every layout, and so new code has to read all. There are programs of the
    newest one only: no code of today has an older layout, and so it reads no new event.
    """
    if not pair.is_newest:
        is_asked = require in {Compatibility.FULL, Compatibility.BACKWARD}
        require = Compatibility.BACKWARD if is_asked else Compatibility.NONE
    return pair.compatibility.covers(require)


def _layouts(named: str) -> Layouts:
    folder = Path(named)
    if not folder.is_dir():
        classes = _types_of_module(named).classes
        return {event_type: {0: layout_of(cls)} for event_type, cls in classes.items()}
    by_serializer: dict[str, Layouts] = {}
    for file in map(read_frozen, frozen_paths(folder)):
        of_type = by_serializer.setdefault(file.serializer, {}).setdefault(file.event_type, {})
        of_type[file.number] = file.layout
    if not by_serializer:
        message = f"{named} holds no frozen events: eventsourcing freeze writes them"
        raise ValueError(message)
    # A serializer that came later has frozen fewer layouts, and counts them from 1.
    found: Layouts = {}
    for layouts in by_serializer.values():
        for event_type, of_type in layouts.items():
            found[event_type] = max(found.get(event_type, {}), of_type, key=len)
    return found


def _types_of_module(named: str) -> EventTypes:
    """Give the event types of a module, since there is no such folder.

    Raises:
        CodeError: It cannot be imported; or nothing is called so, or could be.
    """
    if not named.partition(":")[0].replace(".", "").isidentifier():
        message = f"there is no folder {named!r}; a module is written with dots, as bank.events"
        raise CodeError(message)
    try:
        return event_types_of(named)
    except CodeError as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        message = f"there is no folder {named!r}, and {error}"
        raise CodeError(message) from error.__cause__


def _compared(old: Layouts, new: Layouts) -> Iterator[_Pair]:
    for event_type in sorted(old.keys() | new.keys()):
        if event_type not in old:
            yield _Pair(event_type, 0, "added", Compatibility.BACKWARD)
            continue
        for number, layout in sorted(old[event_type].items()):
            if event_type not in new:
                yield _Pair(event_type, number, "removed", Compatibility.FORWARD)
                continue
            newest = new[event_type][max(new[event_type])]
            found = compare_layouts(layout, newest)
            if found.changes:
                is_newest = number == max(old[event_type])
                yield _Pair(event_type, number, "changed", *found, is_newest)


def _facts(pair: _Pair) -> dict[str, object]:
    return {
        "event_type": pair.event_type,
        "number": pair.number or None,
        "what": pair.what,
        "compatibility": pair.compatibility.value,
        "changes": [change._asdict() for change in pair.changes],
    }


def _say(pair: _Pair) -> None:
    number = f" (layout {pair.number})" if pair.number else ""
    reason = {
        "added": ": old code does not know it",
        "removed": ": new code has no class for its events",
    }.get(pair.what, "")
    typer.echo(
        escaped(f"{pair.event_type}{number} {pair.what}, {pair.compatibility.value}{reason}")
    )
    for change in pair.changes:
        if not change.old:
            what = f"added: {change.new}"
        elif not change.new:
            what = f"dropped: {change.old}"
        else:
            what = f"{change.old} -> {change.new}"
        typer.echo(escaped(f"  {change.place}: {what}"))
        for who, why in (("new code", change.new_code), ("old code", change.old_code)):
            whose = "old events" if who == "new code" else "new events"
            typer.echo(escaped(f"    {who} {f'fails: {why}' if why else f'reads {whose}'}"))
