"""The ports for builds that are inline: appends apply their events to them, in one transaction.

A store knows which builds it wants so, and refuses the append of a process that does not apply all
of them. Which ones these are changes while nobody appends: a change waits for the appends that are
under way, and holds new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from eventsourcing_core._errors import InlineMismatchError
from eventsourcing_core.stores._builds import Build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from eventsourcing_core.stores._builds import BuildRecord, ProjectionKind, Segment
    from eventsourcing_core.stores._rows import Row


class InlineBatch(Protocol):
    """The transaction of an append, for one build; what ``Batch`` says of these holds here."""

    @property
    def connection(self) -> Any:
        """The driver's own connection, where unqualified names are the build's own tables."""
        ...

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give the values of a view's keys, as JSON, and let nobody else change them until the end.

        That holds for keys without a value, too.
        """
        ...

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values of a view, as JSON; None takes one away."""
        ...


class InlineHandlers(Protocol):
    """What a process can apply inline; the core gives it to the storage."""

    @property
    def builds(self) -> Mapping[Build, ProjectionKind]:
        """What it can apply: views, and projections."""
        ...

    def early_keys(self, build: Build, events: Iterable[tuple[str, str]]) -> Collection[str]:
        """Give keys that ``apply`` will ask for, as far as it shows before events are written.

        So a storage can look for their values while it writes. It may ask for others, too, and may
        not ask for these, where an append is refused.

        Args:
            build: One of its own.
            events: What is to be written: stream ids and event types.
        """
        ...

    async def apply(
        self,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: Callable[[Build], AbstractAsyncContextManager[InlineBatch]],
    ) -> None:
        """Apply events to builds, in the transaction that has written them.

        Args:
            builds: Some of its own.
            rows: What was written, by position.
            batch_of: Gives what a build is written with. They are asked for by name, one at a time.

        Raises:
            InlineError: An event cannot be applied: its append is not to be kept.
            StorageError: What ``batch_of`` or its batch raised.
        """
        ...


class InlineChange(Protocol):
    """The moment at which a build becomes inline, or follows again: nobody appends meanwhile."""

    @property
    def record(self) -> BuildRecord:
        """What is stored of it, before the change."""
        ...

    @property
    def segments(self) -> Sequence[Segment]:
        """How far it is, before the change."""
        ...

    @property
    def has_parked(self) -> bool:
        """Whether keys are parked, before the change."""
        ...

    @property
    def batch(self) -> InlineBatch:
        """What it is written with."""
        ...

    def rows(self, after: int) -> AsyncIterator[Sequence[Row]]:
        """Give all events after a position, in pages; no others will come before the end."""
        ...


class Inlining(Protocol):
    """Applies builds inside appends; offered by storages that keep them beside the events.

    All appends count: in batches, in transactions, on connections of the caller's, and imports. Of
    a batch it is enough to apply its events once. An error of the handlers takes back what was
    written with it.
    """

    @property
    def kinds(self) -> frozenset[ProjectionKind]:
        """What can be inline here: views, or projections, too."""
        ...

    def install(self, handlers: InlineHandlers) -> None:
        """Say what this process can apply; of that it applies what the store wants."""
        ...

    def change(self, build: Build, *, to_inline: bool) -> AbstractAsyncContextManager[InlineChange]:
        """Let a build be inline, or follow, from the end of the block on; an error changes nothing.

        It waits for batches of the build and for appends that are under way, and holds new ones. At
        the end nobody owns its segments, and their epochs are raised. If it follows from then on,
        all are at the last event; while it is inline, their positions mean nothing.

        Raises:
            ProjectionError: It is not registered.
            StorageError: The store failed, or may not be changed by this user.
        """
        ...


def inline_text(builds: Iterable[Build]) -> str:
    """Give a set of builds as stores keep it and messages show it: ``balances:1, orders:3``."""
    return ", ".join(f"{name}:{version}" for name, version in sorted(builds))


def inline_builds(text: str) -> frozenset[Build]:
    """Read what ``inline_text`` gave."""
    pairs = (each.partition(":") for each in text.split(", ") if each)
    return frozenset(Build(name, int(version)) for name, _, version in pairs)


def check_inline(wanted: Collection[Build], handlers: InlineHandlers | None) -> None:
    """Refuse appends of a process that cannot apply what the store wants.

    Raises:
        InlineMismatchError: It says what is wanted, and what the process has.
    """
    given: Collection[Build] = () if handlers is None else handlers.builds
    if not set(wanted) <= set(given):
        raise InlineMismatchError(inline_text(wanted), inline_text(given))
