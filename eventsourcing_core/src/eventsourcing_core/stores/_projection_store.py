"""The port for what follows the log: how far it is, who works on it, and what it has made.

A projection is anything that follows: a view, tables of the user's, a reactor. Each version of it
is a *build*, which lives in one database with its own progress, so that both commit together. Its
keys are hashed, and ranges of hashes are its *segments*; a segment is worked on by one process at a
time, the one that has claimed it.

Two things keep every event applied exactly once. A batch begins by moving the positions of its
segments, and does so only where position *and* epoch are the ones that the worker knows: the
positions and what the handlers write commit together. And whoever takes a segment over raises its
epoch: whoever had it before, and only slept, writes nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from eventsourcing_core.stores._builds import (
        Arrangement,
        Build,
        BuildRecord,
        BuildSpec,
        Move,
        ParkedKey,
        Plan,
        Progress,
        Segment,
        Wish,
        Worker,
    )


class Batch(Protocol):
    """A transaction that has moved its segments, and belongs to them alone."""

    @property
    def connection(self) -> Any:
        """The driver's own connection, where unqualified names are the build's own tables.

        None in memory.
        """
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Undo what an error in the block leaves half done, and go on.

        Raises:
            OutageError: It cannot be undone, since the store is away: the error is its cause.
            BatchRefusedError: It cannot be undone, since the transaction is over, or cannot go on.
        """
        ...

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give the values of a view's keys, as JSON; those that have none are left out."""
        ...

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values of a view, as JSON; None takes one away.

        Names of fields come without escapes that they do not need.
        """
        ...

    async def park(
        self, key: str, positions: Sequence[int], error: str, retry_in: float | None
    ) -> None:
        """Let events of a key wait: behind those that wait already, which keep error and time.

        Args:
            key: The key.
            positions: Those of the events, above all that wait already.
            error: What the first of them failed with.
            retry_in: Seconds until it is to be tried again; None: it is given up.
        """
        ...

    async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
        """Note that the first event of a parked key has failed once more; takes a retry wish off.

        A wish to skip it stays: whoever works on it has not seen it yet.

        Args:
            key: The key.
            error: What it failed with.
            retry_in: Seconds until it is to be tried again; None: it is given up.
        """
        ...

    async def unpark(self, key: str, to_position: int) -> None:
        """Take the events of a key off that wait at or below a position.

        If some are left, the first of them is due at once, has no failures yet, and is not wished
        for; else the key is not parked any more.
        """
        ...


class ProjectionStore(Protocol):
    """Keeps builds: their progress, claims and parked keys, and the values of views.

    All times are by one clock, the store's: never by that of the process that calls. Every method
    raises ``StorageError`` where the store fails, an ``OutageError`` if it is away, and
    ``ProjectionError`` for a build that is not registered.
    """

    async def register(
        self,
        spec: BuildSpec,
        *,
        segments: int,
        start: Progress,
        create: Callable[[Any], Awaitable[None]] | None,
    ) -> BuildRecord:
        """Make a build, or find it; processes may do so at the same moment.

        The first build of a name is live at once; a later one is building. A new build has so many
        segments of the same width (the last one may be wider), all at ``start``, in epoch 0.

        Args:
            spec: What it is.
            segments: How many segments a new one has: 1 to 1,024.
            start: Where a new one begins.
            create: Makes the user's tables, on a connection, in the transaction that registers a
                new build; unqualified names are the build's own.

        One that was registered without ``event_types`` keeps those that are given first.

        Raises:
            ProjectionError: It is registered as something else; or it is new, and its version is
                below the live one, or its name belongs to another class; or its tables cannot be
                made where they belong.
            StorageError: The store cannot be written to; or what ``create`` raised, as it is.
        """
        ...

    async def builds(self) -> Sequence[BuildRecord]:
        """Give all builds, by name and version."""
        ...

    async def arrangement(self, build: Build) -> Arrangement:
        """Give who works on what, and how far it is."""
        ...

    async def beat(
        self,
        build: Build,
        worker: Worker,
        lease: float,
        plan: Callable[[Arrangement], Plan],
    ) -> Arrangement:
        """Say that a process is alive, and let it change the arrangement; others wait meanwhile.

        The process is a worker for ``lease`` seconds from now, and so are its claims. Then ``plan``
        is asked, with the arrangement as it is (itself among the workers, unless it stood still for
        longer than ``lease`` meanwhile), and its answer is carried out, all or nothing: nothing of
        one that does not fit the arrangement. It must not wait for a batch of whoever had a segment
        before: if one is in the way, nothing of the plan is carried out.

        Returns:
            The arrangement as it is then.
        """
        ...

    async def leave(self, build: Build, owner: str) -> None:
        """Take off all that a process has claimed, and that it is a worker."""
        ...

    async def calls(self) -> frozenset[Build]:
        """Tell which builds have something that somebody should do at once.

        A segment that nobody has claimed, or a parked key that is due, or that somebody has a wish
        for; but nothing of a build that is paused or switching, or of a reactor that is not live.
        It is asked several times a second, so it is one cheap question.
        """
        ...

    def batch(
        self, build: Build, move: Move, *, lease: float
    ) -> AbstractAsyncContextManager[Batch]:
        """Open a transaction that moves segments; leaving the block commits, an error rolls back.

        Only the store ends it: where the user's code commits on its connection, the store refuses
        that, since the positions would be stored with a part of what belongs to them.

        Where the store can, it ends such a transaction of a process that is silent for longer than
        ``lease`` seconds, so that it holds nobody up.

        Raises:
            FencedError: On entering: a segment has another position or epoch.
            OutageError: On entering or leaving: the store is away, or had to give this transaction
                up for another one's sake: whatever the block raised then is its cause. The batch
                can be tried again.
            BatchRefusedError: On leaving: the user's code has ended the transaction, or what it
                wrote cannot be committed.
        """
        ...

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        """Give the parked keys by hash and key; ``first`` so many at most."""
        ...

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        """Give parked keys of segments that are due or wished for, those that wait longest first.

        At most ``first`` of them.
        """
        ...

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        """Count the parked keys of segments that have any, by ``low``."""
        ...

    async def parked_at(self, build: Build, position: int) -> Sequence[ParkedKey]:
        """Give the parked keys of which an event waits at a position."""
        ...

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        """Ask for something for a parked key, or for all of a build; give how many there are."""
        ...

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        """Let nobody work on a build, at once and until it is resumed; or let them.

        Pausing takes all claims off and raises all epochs.
        """
        ...

    async def set_segments(self, build: Build, segments: int) -> None:
        """Say how many segments a build is to have: 1 to 1,024."""
        ...

    async def rewind(self, build: Build, to: Progress) -> None:
        """Set all segments to a progress, take claims off, raise epochs, and unpark all keys."""
        ...

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        """Let nobody work on the live build for a moment, since another takes its place.

        Claims are taken off and epochs raised. After so many seconds it is as before.

        Returns:
            How far it is, now that it moves no more.

        Raises:
            ProjectionError: It is not live.
        """
        ...

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        """Make a build live in place of the one that is, which is retired; in one transaction.

        Readers see the old or the new one, never anything else.

        Args:
            build: The one that is to be live.
            copy_progress: Whether it takes over segments, progress and parked keys of the old one,
                as reactors do, with claims taken off and epochs raised; else it must have come as
                far as the old one.

        Returns:
            Whether that was done; if it has not come so far, nothing was changed.

        Raises:
            ProjectionError: The live build is not being switched from, or it is paused.
        """
        ...

    async def cancel_switch(self, name: str) -> None:
        """Let the live build go on; nothing happens if it does."""
        ...

    async def drop(self, build: Build) -> None:
        """Forget a build, and what it has made.

        Raises:
            ProjectionError: It is live, and there are others of its name.
        """
        ...

    async def live_values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values of the live build of a view, as JSON; keys without one are left out."""
        ...

    def live_pages(
        self, name: str, where: Mapping[str, str]
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """Give keys and values of the live build of a view, as JSON, by key, in pages.

        Keys are in the order of Unicode code points. All pages are of one build, the one that is
        live at the first page; one that is dropped meanwhile raises a ``ProjectionError``.

        Args:
            name: The view.
            where: Fields and their values, as JSON; only values that have all of these come.
        """
        ...
