"""``eventsourcing tail``: the newest events of all streams, and those that come."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from eventsourcing_cli._arguments import AsJson, Prefix, Tags, Types, Url, examples
from eventsourcing_cli._errors import NothingFoundError
from eventsourcing_cli._events import writer
from eventsourcing_cli._store import reading
from eventsourcing_core import Query
from eventsourcing_core.stores import OutageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_cli._events import Write
    from eventsourcing_core import Checkpoint, EventStore, RecordedEvent

_LINES = 10
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries to follow a store that is away."""
logger = logging.getLogger(__name__)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "eventsourcing tail sqlite:///bank.db",
            "eventsourcing tail sqlite:///bank.db --follow --prefix BankAccount-",
            "eventsourcing tail sqlite:///bank.db --tag course:1 --tag student:9",
            "eventsourcing tail sqlite:///bank.db --after 0 --json > all.jsonl",
        )
    )(tail)


def tail(  # noqa: PLR0913 - the options of the command
    url: Url,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    types: Types = None,
    prefix: Prefix = None,
    tags: Tags = None,
    after: Annotated[
        int | None,
        typer.Option(
            metavar="POSITION",
            min=0,
            help="Only events after this position; all of them, unless -n.",
        ),
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            metavar="NUMBER",
            min=0,
            help="Only the newest so many: 10, unless given.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest events of all streams.

    They come in the order of their positions. In a pipe each event is a line of columns with tabs
    between them: position, stream, version, time, type, data and metadata; and tags, if it has any.
    A store that goes away while it is followed is waited for.
    """
    write = writer(as_json=as_json, of_one_stream=False)
    limit = _LINES if lines is None and after is None else lines
    selected = Selected(types or None, prefix, Query(tags={*tags}) if tags else None)

    async def write_events() -> int:
        async with reading(url) as store:
            tail = Tail(store, selected, after or 0)
            await tail.write_newest(write, limit)
            if follow:
                await tail.follow(write)
            return tail.written

    if not asyncio.run(write_events()):
        is_chosen = types or prefix or tags or after or limit == 0
        message = f"no {'such ' if is_chosen else ''}events in this store"
        raise NothingFoundError(message)


class Selected(NamedTuple):
    """Which events were asked for."""

    event_types: list[str] | None
    stream_prefix: str | None
    query: Query | None


class Tail:
    """The events of a store that were asked for, and how far they were written."""

    def __init__(self, store: EventStore, selected: Selected, after: int) -> None:
        self._store = store
        self._selected = selected
        self._position = after
        self.written = 0

    async def write_newest(self, write: Write, limit: int | None) -> None:
        """Write the newest events in the order of their positions; all, if there is no limit."""
        if limit is None:
            await self._write_on(write)
        elif limit:
            newest = [event async for event in self._matching(limit, backward=True)]
            for event in reversed(newest):
                self._write_one(write, event)
        else:
            self._position = max(self._position, await self._store.last_position())

    async def follow(self, write: Write) -> None:
        """Write what comes, without end; wait for the store while it is away."""
        place: int | Checkpoint = self._position
        pause = _SHORTEST_PAUSE
        while True:
            pages = self._store.follow(place, **self._selected._asdict())
            try:
                async for page in pages:
                    for event in page.events:
                        self._write_one(write, event)
                    sys.stdout.flush()
                    place = page.checkpoint or page.seen_to
                    pause = _SHORTEST_PAUSE
            except OutageError as error:
                logger.warning("%s; trying again in %g s", error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _write_on(self, write: Write) -> None:
        async for event in self._matching(None):
            self._write_one(write, event)

    def _write_one(self, write: Write, event: RecordedEvent[Any]) -> None:
        write(event)
        self._position = event.position
        self.written += 1

    def _matching(
        self, limit: int | None, *, backward: bool = False
    ) -> AsyncIterator[RecordedEvent[Any]]:
        return self._store.read_all(
            after_position=self._position,
            limit=limit,
            backward=backward,
            **self._selected._asdict(),
        )
