"""``eventsourcing show``: the events of one stream, or of some tags."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventsourcing_cli._arguments import AsJson, Tags, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._events import writer
from eventsourcing_cli._store import reading
from eventsourcing_core import Query
from eventsourcing_core.stores import Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventStore, RecordedEvent


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing show sqlite:///bank.db BankAccount-42",
            "eventsourcing show sqlite:///bank.db BankAccount-42 --backward --limit 1",
            "eventsourcing show sqlite:///bank.db BankAccount-42 --json | jq .data",
            "eventsourcing show sqlite:///bank.db --tag course:1 --tag student:9",
        )
    )(show)


def show(  # noqa: PLR0913 - the options of the command
    url: Url,
    stream: Annotated[
        str | None,
        typer.Argument(
            metavar="[STREAM]", show_default=False, help="Its id, as BankAccount-42; or --tag."
        ),
    ] = None,
    *,
    tags: Tags = None,
    from_version: Annotated[
        int, typer.Option("--from", metavar="VERSION", min=1, help="The lowest version to show.")
    ] = 1,
    to_version: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", min=1, help="The highest one.")
    ] = None,
    backward: Annotated[bool, typer.Option("--backward", help="Show the newest first.")] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=0, help="Show this many at the most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the events of one stream, or of all streams by tags.

    In a pipe each event is a line of columns with tabs between them: version, position, time, type,
    data and metadata; and tags, if it has any. With --tag, the first ones are position, stream and
    version.
    """
    span = Span(from_version, to_version, backward, limit)
    _check(stream, tags, span)
    write = writer(as_json=as_json, of_one_stream=stream is not None)

    async def write_events() -> int:
        number = 0
        async with reading(url) as store:
            async for event in _events(store, stream, tags or [], span):
                write(event)
                number += 1
        return number

    if not asyncio.run(write_events()):
        raise NothingFoundError(_nothing(stream, span))


def _check(stream: str | None, tags: list[str] | None, span: Span) -> None:
    """Refuse options that do not go together.

    Raises:
        typer.BadParameter: It says which.
    """
    if (stream is None) != bool(tags):
        message = "give either a STREAM or a --tag"
    elif tags and (span.from_version > 1 or span.to_version is not None):
        message = "--from and --to are versions in one STREAM: leave them out with --tag"
    else:
        return
    raise typer.BadParameter(message)


def _events(
    store: EventStore, stream: str | None, tags: list[str], span: Span
) -> AsyncIterator[RecordedEvent[Any]]:
    first, last, backward, limit, _ = span
    if stream is None:
        return store.read_all(query=Query(tags={*tags}), backward=backward, limit=limit)
    return store.read(stream, from_version=first, to_version=last, backward=backward, limit=limit)


def _nothing(stream: str | None, span: Span) -> str:
    if stream is None:
        return "no such events in this store"
    is_all = span.from_version == 1 and span.to_version is None and span.limit != 0
    return f"the stream {stream!r} has {'no events' if is_all else 'no such events'} in this store"
