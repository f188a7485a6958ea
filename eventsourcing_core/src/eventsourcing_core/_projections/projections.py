"""The projections of a backend, for those who watch and steer them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from eventsourcing_core._encoding.streams import HIGHEST
from eventsourcing_core._errors import ProjectionError, ProjectionParkedError, shown
from eventsourcing_core._projections.status import (
    Looks,
    check_switch,
    position_of,
    said_build,
    statuses,
    unknown,
)
from eventsourcing_core._projections.view_reader import name_in
from eventsourcing_core.stores._builds import (
    Arrangement,
    Build,
    BuildRecord,
    BuildState,
    ParkedKey,
    Progress,
    ProjectionKind,
    Wish,
)
from eventsourcing_core.stores._checks import check_seconds, check_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._projections.status import ProjectionStatus
    from eventsourcing_core._repositories.saving import Saved
    from eventsourcing_core.stores._event_store import AppendResult
    from eventsourcing_core.stores._projection_store import ProjectionStore

MOST_SEGMENTS = 1_024
"""How many segments a build may have."""
_SHORTEST_LOOK, _LONGEST_LOOK = 0.002, 0.05
"""Seconds between two looks at how far a build is."""


class HasProjections(Protocol):
    """A backend that keeps projections."""

    @property
    def projection_store(self) -> ProjectionStore:
        """Where they are."""
        ...


class Projections:
    """The projections in a database: how they stand, and what is to become of them.

    ``backend.projections`` gives it. It runs nothing: ``backend.projector`` does.

    Args:
        events: The event store that they follow.
        store: Where they are.
    """

    def __init__(self, events: StorageEventStore, store: ProjectionStore) -> None:
        self._events = events
        self._store = store
        self._looks = Looks(store)

    async def status(self, projection: object = None) -> list[ProjectionStatus]:
        """Give how all versions of all projections stand, or of one, by name and version."""
        name = None if projection is None else name_in(projection)
        found = await statuses(self._events, self._store, name)
        if name is not None and not found:
            raise unknown(name, await self._store.builds())
        return found

    async def wait_for(
        self,
        saved: Saved | AppendResult | int,
        projection: object,
        *,
        timeout: float,  # noqa: ASYNC109 - a caller's timeout would not say how far it is
    ) -> None:
        """Wait until the live version of a projection has seen what was saved.

        Args:
            saved: What ``save`` or ``append`` returned, or a position. Of several events the
                last one counts: a parked key that only earlier ones have is not named, see
                ``parked``.
            projection: Its name or class.
            timeout: Seconds to wait.

        Raises:
            ProjectionParkedError: The event failed, or an earlier one of its key, and it will not
                be tried again by itself.
            TimeoutError: It has not come so far; it says how far it is, and who works on it.
            ProjectionError: There is no such projection; or it has stopped for good, since the
                history has changed.
            StorageError: The store failed.
            TypeError: What was saved is an aggregate: give ``repository.saved(aggregate)``.
        """
        position = _position_of(saved)
        check_seconds("timeout", timeout)
        name = name_in(projection)
        try:
            async with asyncio.timeout(timeout):
                await self._wait_for(name, position)
        except TimeoutError:
            fault = await self._said_of(name, position, timeout)
            if fault is not None:
                raise TimeoutError(fault) from None

    async def pause(self, projection: object, *, version: int | None = None) -> None:
        """Let nobody work on a projection until it is resumed; a batch under way is undone.

        Args:
            projection: Its name or class.
            version: The version; the live one unless given.

        Raises:
            ProjectionError: There is no such projection, or it is inline.
        """
        await self._store.set_paused(await self._following(projection, version), paused=True)

    async def resume(self, projection: object, *, version: int | None = None) -> None:
        """Let its processes go on; see ``pause``."""
        await self._store.set_paused(await self._build(projection, version), paused=False)

    async def parked(
        self, projection: object, *, version: int | None = None, first: int | None = None
    ) -> Sequence[ParkedKey]:
        """Give the keys that are parked; ``first`` so many at most."""
        return await self._store.parked(await self._build(projection, version), first=first)

    async def retry(
        self, projection: object, key: str | None = None, *, version: int | None = None
    ) -> int:
        """Let a parked key be tried again by whoever runs the projection; or all, without a key.

        Returns:
            How many keys that are.

        Raises:
            ProjectionError: There is no such projection, or the key is not parked.
        """
        return await self._wish(Wish.RETRY, projection, key, version)

    async def skip(self, projection: object, key: str, *, version: int | None = None) -> None:
        """Let the first event of a parked key be left out for good, and the others be tried."""
        await self._wish(Wish.SKIP, projection, key, version)

    async def set_segments(
        self, projection: object, segments: int, *, version: int | None = None
    ) -> None:
        """Say how many segments a projection has: so many processes can work on it at most.

        Its processes split and join them while they work.

        Raises:
            ValueError: It is not from 1 to 1,024.
            ProjectionError: There is no such projection.
        """
        check_segments(segments)
        await self._store.set_segments(await self._build(projection, version), segments)

    async def switch(
        self,
        projection: object,
        *,
        version: int | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - it says why it was not done in time
    ) -> Build:
        """Let readers see another version, which must be ready; the way back is the same.

        The old version stands still for a moment, until the new one has come as far.

        Args:
            projection: Its name or class.
            version: The version that readers are to see; the newest unless given.
            timeout: Seconds until it is given up, and all is as before.

        Returns:
            What is live now.

        Raises:
            ProjectionError: It is live already, or is a second or more behind, or did not come as
                far within ``timeout``; or no process runs it, and some run the live one; or one of
                the two is paused, or the live one is inline.
        """
        check_seconds("timeout", timeout)
        name = name_in(projection)
        records = await self._records(name)
        target = records[-1] if version is None else self._found(records, name, version)
        live = next(each for each in records if each.state is BuildState.LIVE)
        _check_follows(live)
        await check_switch(self._events, self._store, target, live)
        stopped = await self._store.begin_switch(live.spec.build, seconds=2 * timeout)
        try:
            async with asyncio.timeout(timeout):
                await self._finish_switch(target, live, stopped)
        except TimeoutError:
            until = f"in {timeout:g} s" if timeout else "yet"
            message = f"{said_build(target)} did not come as far as the live version {until}"
            raise ProjectionError(message) from None
        finally:
            await self._store.cancel_switch(name)
        return target.spec.build

    async def drop(self, projection: object, version: int) -> None:
        """Forget a version and what it has made; that of the live one only if it is alone.

        Raises:
            ProjectionError: There is no such version; or it is live, and there are others; or it is
                inline.
        """
        await self._store.drop(await self._following(projection, version))

    async def make_async(self, projection: object) -> Build:
        """Let an inline projection follow the log, from the next event on; nobody pauses.

        Processes that have it among their ``inline=`` go on without it. A projector has to run it
        from now on. When such a process is opened again, the projection is inline again.

        Returns:
            What follows now.

        Raises:
            ProjectionError: There is no such projection, or it is not inline.
            StorageError: The store failed, or this user may not change it.
        """
        record = await self._record(projection, None)
        build = record.spec.build
        _check_inline(record)
        async with self._events.inlining(self._store).change(build, to_inline=False) as change:
            _check_inline(change.record)  # else somebody else was faster
        return build

    def on(self, backend: HasProjections) -> Projections:
        """Give the projections that follow the same events in the database of another backend."""
        return Projections(self._events, backend.projection_store)

    async def _finish_switch(
        self, target: BuildRecord, live: BuildRecord, stopped: Arrangement
    ) -> None:
        """Switch as soon as a version is as far as the live one, which stands still."""
        copies = target.spec.kind is ProjectionKind.REACTOR
        head = Progress(await self._events.last_position(), None)
        if position_of(stopped) > head.position:
            # The event store was restored: nobody ever comes so far as the old version was, and
            # what that has made is of another history.
            await self._store.rewind(live.spec.build, head)
        pause = _SHORTEST_LOOK
        while not await self._store.finish_switch(target.spec.build, copy_progress=copies):
            await asyncio.sleep(pause)  # each look locks what has to move
            pause = min(2 * pause, _LONGEST_LOOK)

    async def _wait_for(self, name: str, position: int) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while not await self._has_seen(name, position):
            waited = loop.time() - begin
            await asyncio.sleep(min(max(waited / 8, _SHORTEST_LOOK), _LONGEST_LOOK))

    async def _has_seen(self, name: str, position: int) -> bool:
        """Tell whether the live version has seen a position; raise if it will not."""
        look = await self._looks.look(name, position)
        if look.end is not None:
            message = f"projection {name!r} has stopped: {look.end}"
            raise ProjectionError(message)
        if look.position < position:
            return False
        if not look.has_parked:
            return True
        waiting = await self._store.parked_at(look.build, position)
        for key in waiting:
            if key.is_given_up and key.wish is None:
                raise ProjectionParkedError(name, key.key, key.error)
        return not waiting

    async def _said_of(self, name: str, position: int, timeout: float) -> str | None:  # noqa: ASYNC109 - a number to show
        """Say how far a projection is, for whoever waited in vain; None: it has come so far."""
        for status in await statuses(self._events, self._store, name):
            if status.state == BuildState.LIVE.value:
                parked = await self._store.parked_at(status.build, min(position, HIGHEST))
                if status.position >= position and not parked:
                    return None
                if parked:
                    fault = f"key {shown(parked[0].key)} is parked ({parked[0].error})"
                elif status.is_paused:
                    fault = "it is paused"
                elif not status.owners:
                    fault = "no process runs it"
                elif status.held_by is not None:
                    fault = f"an open transaction holds readers back ({status.held_by})"
                else:
                    fault = f"processes that run it: {len(status.owners)}"
                if status.last_error:
                    fault = f"{fault}; the last error was {status.last_error}"
                until = f"within {timeout:g} s" if timeout else "yet"
                return (
                    f"projection {name!r} has not seen position {position} {until}: it is at "
                    f"{status.position}, {fault}"
                )
        return f"projection {name!r} has no live version"

    async def _wish(
        self, wish: Wish, projection: object, key: str | None, version: int | None
    ) -> int:
        build = await self._build(projection, version)
        count = await self._store.wish(build, wish, key)
        if not count and key is not None:
            message = f"key {shown(key)} of projection {build.name!r} is not parked"
            raise ProjectionError(message)
        return count

    async def _build(self, projection: object, version: int | None) -> Build:
        """Give a version of a projection, the live one unless told."""
        return (await self._record(projection, version)).spec.build

    async def _following(self, projection: object, version: int | None) -> Build:
        """Give a version of a projection that is not inline, the live one unless told."""
        record = await self._record(projection, version)
        _check_follows(record)
        return record.spec.build

    async def _record(self, projection: object, version: int | None) -> BuildRecord:
        name = name_in(projection)
        records = await self._records(name)
        if version is not None:
            return self._found(records, name, version)
        return next(each for each in records if each.state is BuildState.LIVE)

    async def _records(self, name: str) -> list[BuildRecord]:
        """Give the versions of a projection."""
        records = [each for each in await self._store.builds() if each.spec.build.name == name]
        if not records:
            raise unknown(name, await self._store.builds())
        return records

    @staticmethod
    def _found(records: Sequence[BuildRecord], name: str, version: int) -> BuildRecord:
        for record in records:
            if record.spec.build.version == version:
                return record
        versions = ", ".join(str(record.spec.build.version) for record in records)
        message = f"projection {name!r} has no version {version}: it has {versions}"
        raise ProjectionError(message)


def check_segments(segments: int) -> None:
    """Refuse a number of segments that cannot be.

    Raises:
        ValueError: It is not from 1 to 1,024.
    """
    check_whole("segments", segments, lowest=1)
    if segments > MOST_SEGMENTS:
        message = f"segments is from 1 to {MOST_SEGMENTS:,}, got {segments}"
        raise ValueError(message)


def _position_of(saved: object) -> int:
    """Give the position that a caller waits for.

    Raises:
        TypeError: It has none.
    """
    position = saved if isinstance(saved, int) else getattr(saved, "position", None)
    if position is None:
        message = (
            "wait_for takes what save or append returned, or a position, got "
            f"{shown(saved)}; of an aggregate it is repository.saved(aggregate)"
        )
        raise TypeError(message)
    check_whole("position", position, lowest=0)
    return position


def _check_follows(record: BuildRecord) -> None:
    """Refuse what only projectors can do to a build.

    Raises:
        ProjectionError: It is inline.
    """
    if record.inline_from is not None:
        message = f"{said_build(record)} is inline: let it follow first, with make_async(…)"
        raise ProjectionError(message)


def _check_inline(record: BuildRecord) -> None:
    if record.inline_from is None:
        message = f"{said_build(record)} is not inline: it follows already"
        raise ProjectionError(message)
