"""A process that works on projections: ``python -m … COMMAND URL LEASE ARGUMENT``.

It says in lines of JSON what the tests must know, ends in order when it gets a SIGTERM, and at once
when nobody listens any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing_core import Projection, Reactor, RecordedEvent, StorageError, open_backend
from tests.projections_under_load._broken import twist
from tests.projections_under_load._events import Moved, key_of, types
from tests.projections_under_load._projections import enter, ledger_of, make_tables, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAUSE = 0.1  # seconds before it tries to open the store again
SEGMENTS = 16
lines = asyncio.Queue[str]()


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


class Mailer(Reactor):
    """Writes a line for each event, into a file; then waits for a line where an event says so.

    Args:
        file: Which.
    """

    name = "mailer"

    def __init__(self, file: str) -> None:
        self._file = Path(file)

    def key(self, event: RecordedEvent[Moved]) -> str:
        return key_of(event)

    async def react(self, event: RecordedEvent[Moved]) -> None:
        line = json.dumps([str(event.event_id), key_of(event), event.position])
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if event.data.amount < 0:
            await be_asleep()


class Picky(Projection[Any]):
    """Fails where an event says so, unless it was mended.

    Args:
        is_mended: Whether it was.
    """

    name = "picky"

    def __init__(self, *, is_mended: bool) -> None:
        self._is_mended = is_mended

    def key(self, event: RecordedEvent[Moved]) -> str:
        return key_of(event)

    async def create(self, connection: Any) -> None:
        await make_tables(connection)

    async def apply(self, event: RecordedEvent[Moved], connection: Any) -> None:
        await enter(connection, event, 1)
        if event.data.amount < 0 and not self._is_mended:
            message = "no negative amounts"
            raise ValueError(message)


class Sleeper(Projection[Any]):
    """Waits for a line where an event says so.

    Args:
        where: ``before``: before a transaction is begun, and the whole process stands still;
            ``within``: in the middle of it, and only this one waits; else it never waits.
    """

    name = "sleeper"

    def __init__(self, where: str) -> None:
        self._where = where

    def key(self, event: RecordedEvent[Moved]) -> str:
        if self._where == "before" and event.data.amount < 0:
            freeze()
        return key_of(event)

    async def create(self, connection: Any) -> None:
        await make_tables(connection)

    async def apply(self, event: RecordedEvent[Moved], connection: Any) -> None:
        await enter(connection, event, 1)
        if self._where == "within" and event.data.amount < 0:
            await be_asleep()


def freeze() -> None:
    """Say so, and let the whole process wait for a line."""
    say("asleep")
    sys.stdin.readline()


async def be_asleep() -> None:
    """Say so, and wait for a line."""
    say("asleep")
    await lines.get()


def listen(stop: asyncio.Event) -> None:
    """Take lines, and end when nobody is there any more, or when it is asked for in order."""
    loop = asyncio.get_running_loop()

    def take() -> None:
        line = sys.stdin.readline()
        if not line:
            os._exit(3)
        lines.put_nowait(line)

    loop.add_reader(sys.stdin, take)
    loop.add_signal_handler(signal.SIGTERM, stop.set)


async def work(
    url: str, lease: float, projections: Sequence[Any], segments: int, how: str = "right"
) -> None:
    """Work until a SIGTERM comes; wait for a store that is not there yet."""
    stop = asyncio.Event()
    listen(stop)
    while not stop.is_set():
        is_open = False
        try:
            async with open_backend(url, event_types=types) as backend:
                twist(backend, how, be_asleep, freeze)
                async with backend.projector(projections, segments=segments, lease=lease):
                    is_open = True
                    say("ready")
                    await stop.wait()
        except StorageError:
            if is_open:
                raise
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)


def main(command: str, url: str, lease: str, argument: str) -> None:
    """Run what the command says."""
    if command == "sleep":
        where, _, how = argument.partition(" ")
        asyncio.run(work(url, float(lease), [Sleeper(where)], 1, how))
        return
    commands: dict[str, Callable[[], Sequence[object]]] = {
        "follow": lambda: [view_of(int(argument))(), ledger_of(int(argument))()],
        "react": lambda: [Mailer(argument)],
        "pick": lambda: [Picky(is_mended=argument == "mended")],
    }
    asyncio.run(work(url, float(lease), commands[command](), SEGMENTS))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main(*sys.argv[1:])
