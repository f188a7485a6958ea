"""Putting one build in the place of another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import (
    BuildState,
    has_caught_up,
    not_live,
    not_registered,
    not_switching,
)
from eventsourcing_sqlite._connection import in_thread
from eventsourcing_sqlite._projections import registry
from eventsourcing_sqlite._projections.segments import (
    raise_epochs,
    read_segments,
    save_segments,
    unpark_all,
)
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from eventsourcing_core.stores import Arrangement, Build, Segment
    from eventsourcing_sqlite._projections.builds import Builds

_BEGIN = statement("projections/begin_switch")
_PARKED = (
    statement("projections/all_parked_keys"),
    statement("projections/all_parked_events"),
)
_PARK_KEY = statement("projections/copy_parked_key")
_PARK_EVENT = statement("projections/copy_parked_event")


async def begin_switch(builds: Builds, build: Build, seconds: float) -> Arrangement:
    """See ``ProjectionStore.begin_switch``."""
    await builds.registry.entry(build)
    await builds.database.write(partial(_begin, build=build, seconds=seconds))
    segments = await builds.write(build, raise_epochs)
    return (await builds.registry.entry(build)).arrangement(segments)


async def finish_switch(builds: Builds, build: Build, *, copy_progress: bool) -> bool:
    """See ``ProjectionStore.finish_switch``; the one transaction is that of the store's file.

    Progress is copied before it: until then nobody works on a reactor that is not live, so a crash
    leaves nothing that anybody sees, and the next switch copies it again.
    """
    async with builds.database.transaction() as connection:
        entries = await builds.entries_inside(connection, build.name)
        new = next((each for each in entries if each.build == build), None)
        old = next((each for each in entries if registry.is_live(each)), None)
        if new is None or old is None:
            raise not_registered(build)
        if not old.record.is_switching or old.record.is_paused or new.build == old.build:
            raise not_switching(old.build)

        there = await builds.segments(old.build)
        if copy_progress:
            keys, events = [await builds.fetch(old.build, sql, {}) for sql in _PARKED]
            await builds.write(
                build, partial(_copy, source=there, parked_keys=keys, parked_events=events)
            )
            await in_thread(connection, partial(registry.set_owners, build=build, owners={}))
        elif not has_caught_up(await builds.segments(build), there):
            return False
        await in_thread(connection, partial(_finish, old=old.build, new=build))
    return True


async def cancel_switch(builds: Builds, name: str) -> None:
    """See ``ProjectionStore.cancel_switch``."""
    live = await builds.registry.live(name)
    if live.record.is_switching:
        await builds.database.write(
            partial(registry.change, build=live.build, switching_until=None)
        )


def _begin(connection: sqlite3.Connection, build: Build, seconds: float) -> None:
    parameters = {**build._asdict(), "seconds": seconds}
    if not connection.execute(_BEGIN, parameters).rowcount:
        raise not_live(build)
    registry.set_owners(connection, build, {})


def _copy(
    connection: sqlite3.Connection,
    source: Sequence[Segment],
    parked_keys: Sequence[tuple[Any, ...]],
    parked_events: Sequence[tuple[Any, ...]],
) -> None:
    """Take over segments, with epochs above those that anybody knows, and what is parked."""
    unpark_all(connection)
    connection.executemany(_PARK_KEY, parked_keys)
    connection.executemany(_PARK_EVENT, parked_events)
    epoch = 1 + max(segment.epoch for segment in (*read_segments(connection), *source))
    save_segments(connection, [segment._replace(epoch=epoch) for segment in source])


def _finish(connection: sqlite3.Connection, old: Build, new: Build) -> None:
    registry.change(connection, old, state=BuildState.RETIRED.value, switching_until=None)
    registry.change(connection, new, state=BuildState.LIVE.value)
