"""Code of a user's for the command to run."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_numbers = count(1)

CODE = '''
import asyncio
from pathlib import Path

from eventsourcing_core import Projection, Reactor, View

FOLDER = Path(__file__).parent

class Counts(View[int]):
    name = "counts"
    version = {version}

    def evolve(self, value, event):
        if "fails" in event.data:
            raise ValueError("it \\x1b[2J fails")
        return (value or 0) + 1

class Slow(Reactor):
    """Says that it has begun, and waits until it may end."""

    name = "slow"

    async def react(self, event):
        (FOLDER / "begun").touch()
        while not (FOLDER / "go").exists():
            await asyncio.sleep(0.01)

class Stuck(Projection[object]):
    name = "stuck"

    async def apply(self, event, connection):
        await asyncio.Event().wait()

class Mailer(Reactor):
    name = "mailer"
    version = {version}

    async def react(self, event):
        pass

class NeedsMore(Reactor):
    name = "needs-more"

    def __init__(self, server):
        self.server = server

ALL = [Counts, Mailer()]
EMPTY = []
STORE = {{"a": 1}}
object_of_counts = Counts()

def made():
    return (Counts(), Mailer)

def fails():
    raise LookupError("no settings")
'''


def written(folder: Path, version: int = 1, *, code: str = CODE) -> str:
    """Write a module into a folder, and give its name, which no other one has."""
    name = f"read_models_{next(_numbers)}"
    (folder / f"{name}.py").write_text(code.format(version=version), "utf-8")
    return name
