"""Who works on what: arrangements, and the beats that renew and change them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core.stores import Build, not_registered, rearranged
from eventsourcing_postgres._connections import transacted
from eventsourcing_postgres._projections._records import arrangement_of, segment_columns, storable
from eventsourcing_postgres._projections._session import in_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core.stores import Arrangement, Plan, Worker
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._projections._session import Session

_PATIENCE = 200
"""Milliseconds that a plan waits for a segment which somebody's batch has."""
_IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


async def arrangement(database: Database, build: Build) -> Arrangement:
    """Give who works on what; see ``ProjectionStore.arrangement``."""
    database.check_usable()
    rows = await database.fetch("looking at a projection", "projections/arrangement", *build)
    if not rows:
        raise not_registered(build)
    return arrangement_of(rows[0])


async def calls(database: Database) -> frozenset[Build]:
    """Tell which builds call for somebody; see ``ProjectionStore.calls``."""
    database.check_usable()
    rows = await database.fetch("looking for work", "projections/calls")
    return frozenset(Build(*row) for row in rows)


async def leave(database: Database, build: Build, owner: str) -> None:
    """Take a worker off; see ``ProjectionStore.leave``."""

    async def work(session: Session) -> None:
        await session.lock(build)
        await session.run("leave", *build, owner)

    await in_session(database, "leaving a projection", work)


async def beat(
    database: Database,
    build: Build,
    worker: Worker,
    lease: float,
    plan: Callable[[Arrangement], Plan],
) -> Arrangement:
    """Renew, and carry out a plan; see ``ProjectionStore.beat``.

    What the plan needs is locked in a savepoint: if a batch is in the way, the renewal stays.
    """

    async def work(session: Session) -> Arrangement:
        await session.lock(build)
        error = None if worker.last_error is None else storable(worker.last_error)
        await session.run("renew", *build, worker.owner, worker.limit, error, lease)
        before = await session.arrangement(build)
        planned = plan(before)
        after = rearranged(before, worker.owner, planned)
        if after == before:
            return before

        with suppress(*_IN_THE_WAY):
            async with transacted(session.connection):
                await _carry_out(session, build, worker.owner, planned, before, after)
        return await session.arrangement(build)

    return await in_session(database, "beating for a projection", work)


async def _carry_out(  # noqa: PLR0913 - one step of a beat
    session: Session,
    build: Build,
    owner: str,
    plan: Plan,
    before: Arrangement,
    after: Arrangement,
) -> None:
    touched = {segment.low for segment in {*before.segments} ^ {*after.segments}}
    if touched:
        await session.run("lock_timeout", _PATIENCE)
        await session.run("lock_segments", *build, sorted(touched))
        before = await session.arrangement(build)  # a batch may have moved some meanwhile
        try:
            after = rearranged(before, owner, plan)
        except ValueError:  # so the plan does not fit any more
            return

    gone = {low for low, other in before.owners.items() if after.owners.get(low) != other}
    claimed = {low: other for low, other in after.owners.items() if before.owners.get(low) != other}
    await session.run("unclaim", *build, sorted(gone))
    await session.run("claim", *build, list(claimed), list(claimed.values()))
    if touched:
        lows = {segment.low for segment in after.segments}
        await session.run("delete_segments", *build, sorted(touched - lows))
        changed = [segment for segment in after.segments if segment.low in touched]
        await session.run("write_segments", *build, *segment_columns(changed))
