"""``eventsourcing check``: does the code of today read what is in a store?"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from eventsourcing_cli._arguments import AsJson, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._escape import escaped
from eventsourcing_cli._events import write_columns
from eventsourcing_cli._evolution.loading import Module, event_types_of
from eventsourcing_cli._progress import progress
from eventsourcing_cli._store import reading
from eventsourcing_core.evolution import check_store

if TYPE_CHECKING:
    from eventsourcing_core import EventTypes
    from eventsourcing_core.evolution import TypeCheck

_UNREADABLE = 1


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing check sqlite:///bank.db bank.events",
            "eventsourcing check postgresql://user@host/bank bank.events --sample 100000",
        )
    )(check)


def check(
    url: Url,
    module: Module,
    *,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=1, help="Only so many events, from places all over the store."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Read the events of a store with the classes of a module.

    What cannot be read is counted, and the first such event of each type is shown; then the exit
    code is 1. Nothing is changed. In a pipe each type is a line of columns with tabs between them:
    type, whether it has a class, how many events are read, how many are not, unknown fields with
    how many events have them; and of the first event that is not read stream, version, position,
    field and reason.
    """
    found = asyncio.run(_checked(url, event_types_of(module), sample))
    if not found:
        message = "no events in this store"
        raise NothingFoundError(message)
    for each in found:
        if as_json:
            typer.echo(escaped(json.dumps(_facts(each), ensure_ascii=False)))
        elif sys.stdout.isatty():
            _show(each)
        else:
            write_columns(*_columns(each))
    return _UNREADABLE if any(each.failed for each in found) else 0


async def _checked(url: str, event_types: EventTypes, sample: int | None) -> list[TypeCheck]:
    async with reading(url) as store:
        last = await store.last_position()
        with progress("checking", last) as on_position:
            return await check_store(store, event_types, sample=sample, on_position=on_position)


def _facts(each: TypeCheck) -> dict[str, object]:
    first = each.first_failure
    return {
        "event_type": each.event_type,
        "has_class": each.has_class,
        "chain": each.chain or None,
        "decoded": each.decoded,
        "failed": each.failed,
        "unknown_fields": dict(sorted(each.unknown_fields.items())),
        "first_failure": first
        and first._asdict() | {"field": each.field or None, "reason": each.reason},
    }


def _show(each: TypeCheck) -> None:
    failed = f", {each.failed:,} are not" if each.failed else ""
    as_what = "" if each.has_class else " as dicts: it has no class"
    if each.chain:
        as_what = f" through {each.chain}"
    lines = [f"{each.event_type}: {each.decoded:,} are read{as_what}{failed}"]
    if each.unknown_fields:
        lines.append(f"  passed over: {_unknown(each)}")
    if each.first_failure is not None:
        stream_id, version, position = each.first_failure
        lines.append(
            f"  first: version {version} of stream {stream_id!r} (position {position}): "
            f"{each.reason}"
        )
    for line in lines:
        typer.echo(escaped(line))


def _unknown(each: TypeCheck) -> str:
    return ", ".join(f"{name} ({n})" for name, n in sorted(each.unknown_fields.items()))


def _columns(each: TypeCheck) -> list[object]:
    columns: list[object] = [
        each.event_type,
        each.chain or ("class" if each.has_class else "no class"),
        each.decoded,
        each.failed,
        _unknown(each),
    ]
    return columns + ([*each.first_failure, each.field, each.reason] if each.first_failure else [])
