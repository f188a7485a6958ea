"""What people and switches do to a build: each waits for its batches, and fences them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import asyncpg

from eventsourcing_core.stores import (
    BuildState,
    StorageError,
    has_caught_up,
    not_live,
    not_registered,
    not_switching,
    still_live,
)
from eventsourcing_postgres._projections import _session
from eventsourcing_postgres._projections._own_schemas import has_schema, own_schema
from eventsourcing_postgres._projections._records import (
    progress_columns,
    record_of,
    segment_columns,
)
from eventsourcing_postgres._projections._session import in_session
from eventsourcing_postgres._statements import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores import Arrangement, Build, BuildRecord, Progress
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._projections._session import Session

T = TypeVar("T")


class Changes:
    """Changes builds as a whole; each method is that of the port.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        """Pause or resume; see ``ProjectionStore.set_paused``."""

        async def work(session: Session) -> None:
            if paused:
                await session.lock_all(build)
                await session.fence(build)
            else:
                await session.lock(build)
            await session.run("pause", *build, paused)

        await self._do("pausing a projection", work)

    async def set_segments(self, build: Build, segments: int) -> None:
        """Note how many are wanted; see ``ProjectionStore.set_segments``."""

        async def work(session: Session) -> None:
            await session.lock(build)
            await session.run("want_segments", *build, segments)

        await self._do("setting the segments of a projection", work)

    async def rewind(self, build: Build, to: Progress) -> None:
        """Set all segments to a progress; see ``ProjectionStore.rewind``."""

        async def work(session: Session) -> None:
            await session.lock_all(build)
            await session.run("unclaim", *build, None)
            await session.run("rewind", *build, *progress_columns(to))

        await self._do("rewinding a projection", work)

    async def begin_switch(self, build: Build, seconds: float) -> Arrangement:
        """Hold the live build for a moment; see ``ProjectionStore.begin_switch``."""

        async def work(session: Session) -> Arrangement:
            record = await session.lock_all(build)
            if record.state is not BuildState.LIVE:
                raise not_live(build)
            await session.fence(build)
            await session.run("switch_until", *build, seconds)
            return await session.arrangement(build)

        return await self._do("switching a projection", work)

    async def cancel_switch(self, name: str) -> None:
        """Let the live build go on; see ``ProjectionStore.cancel_switch``."""

        async def work(session: Session) -> None:
            live = _live_of(await _lock_name(session, name), name)
            await session.run("switch_until", *live.spec.build, None)

        await self._do("switching a projection", work)

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        """Make a build live; see ``ProjectionStore.finish_switch``."""

        async def work(session: Session) -> bool:
            records = [record_of(row) for row in await session.run("records", build.name)]
            live = _live_of(records, build.name).spec.build
            for each in (build, live):
                await session.run("lock_segments", *each, None)

            locked = {each.spec.build: each for each in await _lock_name(session, build.name)}
            if build not in locked:
                raise not_registered(build)
            if build == live or not _is_switching(locked.get(live)):
                raise not_switching(live)

            if copy_progress:
                await _copy_progress(session, live, build)
            elif not await _has_caught_up(session, build, live):
                return False
            await _exchange(session, locked[live], locked[build])
            return True

        return await self._do("switching a projection", work)

    async def drop(self, build: Build) -> None:
        """Forget a build; see ``ProjectionStore.drop``."""

        async def work(session: Session) -> None:
            await session.run("lock_segments", *build, None)
            records = {each.spec.build: each for each in await _lock_name(session, build.name)}
            if build not in records:
                raise not_registered(build)
            state = records[build].state
            if state is BuildState.LIVE and len(records) > 1:
                raise still_live(build)
            await session.run("delete_build", *build)
            if has_schema(records[build]):
                schema = quoted(own_schema(build, state))
                await session.connection.execute(f"drop schema if exists {schema} cascade")

        await self._do("dropping a projection", work)

    async def _do(self, doing: str, work: Callable[[Session], Awaitable[T]]) -> T:
        try:
            return await in_session(self._database, doing, work)
        except StorageError as error:
            match error.__cause__:
                case asyncpg.LockNotAvailableError():
                    seconds = _session.PATIENCE / 1000
                    message = (
                        f"{doing} failed: somebody's batch has not ended for {seconds:g} "
                        "seconds (or a transaction has locked the tables): try again, or end that"
                    )
                    raise StorageError(message) from error
                case asyncpg.InsufficientPrivilegeError() as cause:
                    message = (
                        f"{doing} failed: {cause}; do it as the role that has registered the "
                        "projection, which owns its schemas"
                    )
                    raise StorageError(message) from error
                case _:
                    raise


async def _lock_name(session: Session, name: str) -> list[BuildRecord]:
    return [record_of(row) for row in await session.run("lock_builds", name, None)]


def _live_of(records: list[BuildRecord], name: str) -> BuildRecord:
    for record in records:
        if record.state is BuildState.LIVE:
            return record
    raise not_registered(name)


def _is_switching(live: BuildRecord | None) -> bool:
    return (
        live is not None
        and live.state is BuildState.LIVE
        and live.is_switching
        and not live.is_paused
    )


async def _has_caught_up(session: Session, build: Build, live: Build) -> bool:
    segments = (await session.arrangement(build)).segments
    return has_caught_up(segments, (await session.arrangement(live)).segments)


async def _copy_progress(session: Session, live: Build, build: Build) -> None:
    """Let a build have segments, progress and parked keys of the live one, and nobody own it."""
    segments = (await session.arrangement(live)).segments
    old = (await session.arrangement(build)).segments
    epoch = max(segment.epoch for segment in (*segments, *old)) + 1
    await session.run("unclaim", *build, None)
    await session.run("delete_segments", *build, [segment.low for segment in old])
    copies = [segment._replace(epoch=epoch) for segment in segments]
    await session.run("write_segments", *build, *segment_columns(copies))
    await session.run("copy_parked", build.name, live.version, build.version)


async def _exchange(session: Session, live: BuildRecord, other: BuildRecord) -> None:
    """Let a build be live in place of another one; both are locked with their segments.

    Renaming waits for no reader, and no reader for it: both names change at once for whoever looks
    one up, and who has done so already goes on with what was found.
    """
    for record, state in ((live, BuildState.RETIRED), (other, BuildState.LIVE)):
        build = record.spec.build
        await session.run("set_state", *build, state.value)
        if has_schema(record):
            old, new = own_schema(build, record.state), own_schema(build, state)
            await session.run("name_schema", *build, new)
            await session.connection.execute(f"alter schema {quoted(old)} rename to {quoted(new)}")
