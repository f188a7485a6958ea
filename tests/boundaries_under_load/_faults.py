"""Faults that a store must not have: each is put into the process that decides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from eventsourcing_sqlite import _append
from eventsourcing_sqlite._storage import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _look_at_no_others() -> None:
    """Judge a condition by what is in the batch: what other processes wrote is not looked at."""
    whole: Any = _append
    found_of = whole.found_of

    def found_nothing(*args: Any) -> Any:
        return found_of(*args)._replace(rows=[])

    whole.found_of = found_nothing


def _take_the_marker_late() -> None:
    """Ask how far all is decided once the events are read."""
    storage: Any = SqliteStorage
    matching = storage.matching

    async def matching_late(self: Any, items: Any) -> Any:
        matched = await matching(self, items)
        await asyncio.sleep(0.002)
        later = await matching(self, items)
        return later._replace(rows=matched.rows)

    storage.matching = matching_late


FAULTS: Final[Mapping[str, Callable[[], None]]] = {
    "others are not looked at": _look_at_no_others,
    "marker after the read": _take_the_marker_late,
}
