"""What a side can do. Each is one module in ``sides``, and runs in a process of its own.

``at`` is what the caller knows of the stream, as the side counts: 0 for a stream that must not
exist yet, then whatever ``append`` or ``last`` gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

Figures = dict[str, float]


class Conflict(Exception):  # noqa: N818 - it is expected: that is what a race is made of
    """Somebody else appended first; nothing was written."""


class AsyncSide(Protocol):
    """A side on asyncio. A method that the registry does not list for a side may be missing."""

    async def open(self) -> None:
        """Connect, and make the schema if it is missing."""

    async def close(self) -> None:
        """Disconnect."""

    async def append(self, stream: UUID, at: int, count: int) -> int:
        """Make so many events and append them, or raise ``Conflict``."""
        ...

    async def last(self, stream: UUID) -> int:
        """Look where the stream is now."""
        ...

    async def bulk(self, count: int) -> None:
        """Append so many events to a new stream at once."""

    async def seed(self, count: int) -> str:
        """Store an aggregate of so many events; give its id."""
        ...

    async def load(self, key: str) -> int:
        """Load an aggregate; give the sum of its deposits."""
        ...

    async def take_snapshot(self, key: str) -> None:
        """Take a snapshot of it now."""

    async def load_snapshot(self, key: str) -> int:
        """Load it by the snapshot."""
        ...

    async def fill(self, count: int) -> None:
        """Bring the store up to so many events, quickly."""

    async def read_all(self, limit: int) -> int:
        """Read and decode events of all streams from the first on; give how many there were."""
        ...

    async def page(self, after: int, limit: int) -> tuple[int, int]:
        """Read a page of all streams; give how many events, and the last position."""
        ...

    async def end(self) -> int:
        """Give the last position."""
        ...

    async def follow(self, count: int, ready: Callable[[], None]) -> list[int]:
        """Call ``ready``, and wait for so many events; give when each came, in nanoseconds."""
        ...


class SyncSide(Protocol):
    """The same for a library that blocks."""

    def open(self) -> None:
        """See above; so with the others."""

    def close(self) -> None: ...
    def append(self, stream: UUID, at: int, count: int) -> int: ...
    def last(self, stream: UUID) -> int: ...
    def bulk(self, count: int) -> None: ...
    def seed(self, count: int) -> str: ...
    def load(self, key: str) -> int: ...
    def take_snapshot(self, key: str) -> None: ...
    def load_snapshot(self, key: str) -> int: ...
    def fill(self, count: int) -> None: ...
    def read_all(self, limit: int) -> int: ...
    def page(self, after: int, limit: int) -> tuple[int, int]: ...
    def end(self) -> int: ...
    def follow(self, count: int, ready: Callable[[], None]) -> list[int]: ...
