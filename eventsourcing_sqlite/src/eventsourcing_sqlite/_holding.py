"""Holding tags: within a process only, for all who have the file open in one event loop.

An SQLite file has no lock that would be kept beside its transactions. Nothing depends on it: who
holds a tag in another process costs the others a refusal, and never lets them pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from eventsourcing_core.stores import LocalHolding

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from pathlib import Path

    from eventsourcing_sqlite._database import SqliteDatabase

_holdings: WeakValueDictionary[tuple[Path, AbstractEventLoop], LocalHolding] = WeakValueDictionary()


def holding_in(database: SqliteDatabase) -> LocalHolding:
    """Give what holds the tags of a file."""
    key = (database.path.resolve(), database.loop)
    return _holdings.setdefault(key, LocalHolding())
