"""Parked keys, as they are asked for: by people, and by those who try them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import not_registered
from eventsourcing_postgres._projections._records import parked_key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eventsourcing_core.stores import Build, ParkedKey, Segment, Wish
    from eventsourcing_postgres._database import Database


async def parked(
    database: Database, build: Build, *, first: int | None = None, at: int | None = None
) -> Sequence[ParkedKey]:
    """Give parked keys; see ``ProjectionStore.parked`` and ``parked_at``."""
    rows = await _rows(database, build, "parked", first, at)
    return [parked_key_of(row) for row in rows]


async def due(
    database: Database, build: Build, segments: Sequence[Segment], first: int
) -> Sequence[ParkedKey]:
    """Give those that are to be tried; see ``ProjectionStore.due``."""
    lows, highs = [each.low for each in segments], [each.high for each in segments]
    rows = await _rows(database, build, "due", first, lows, highs)
    return [parked_key_of(row) for row in rows]


async def count_parked(database: Database, build: Build) -> Mapping[int, int]:
    """Count them; see ``ProjectionStore.count_parked``."""
    rows = await _rows(database, build, "count_parked")
    return {low: keys for low, keys in rows if low is not None}


async def wish(database: Database, build: Build, wanted: Wish, key: str | None) -> int:
    """Note a wish; see ``ProjectionStore.wish``."""
    return len(await _rows(database, build, "wish", wanted.value, key))


async def _rows(database: Database, build: Build, name: str, *arguments: Any) -> list[Any]:
    database.check_usable()
    doing = "asking for parked keys"
    rows = await database.fetch(doing, f"projections/{name}", *build, *arguments)
    if not rows:
        records = await database.fetch(doing, "projections/records", build.name)
        if all(record["version"] != build.version for record in records):
            raise not_registered(build)
    return rows
