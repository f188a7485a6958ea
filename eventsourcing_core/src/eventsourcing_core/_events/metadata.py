"""Metadata: what is known about the recording of an event, beside what the event says.

A block of ``recording_metadata`` may be around a ``yield``: fixtures, dependencies and generators
are written so. It may then be left in another context than the one in which it was entered, or
never, where a generator is dropped. No context can be changed from another one. So a block that is
over is marked as such, and whoever still has it in a context passes over it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from inspect import CO_ASYNC_GENERATOR
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import ref

from eventsourcing_core._errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextvars import Token
    from types import FrameType

NO_METADATA: Mapping[str, object] = MappingProxyType({})
"""The one empty metadata that all events without any share."""

_innermost: ContextVar[_Block | None] = ContextVar("recording", default=None)


class _Block:
    """A block that is open, or was: what it adds to the blocks around it."""

    __slots__ = ("_at", "_generators", "_joined", "_own", "_token", "around", "is_over")

    around: _Block | None
    is_over: bool
    _token: Token[_Block | None]

    def __init__(self, own: Mapping[str, object]) -> None:
        around = _innermost.get()
        while around is not None and around.is_over:  # else what is over would pile up
            around = around.around
        self.around = around
        self._own = own
        self._at: Mapping[str, object] | None = None  # what they were joined to
        self._joined: Mapping[str, object] = NO_METADATA
        self.is_over = False

    def metadata(self) -> Mapping[str, object]:
        """Give what holds here: the same object, as long as that is the same."""
        around = NO_METADATA if self.around is None else self.around.metadata()
        if self.is_over:
            return around
        if around is not self._at:
            self._at, self._joined = around, MappingProxyType({**around, **self._own})
        return self._joined

    def enter(self) -> None:
        self._token = _innermost.set(self)
        # Events that come after a loop over such a generator was left are none of its business,
        # though the loop closes it later, and in a task of its own.
        self._generators = [ref(each, self._end) for each in _generators_at_work()]

    def leave(self) -> None:
        self._generators.clear()
        if _innermost.get() is self:
            with suppress(ValueError):  # another context, which has it from the one of the block
                _innermost.reset(self._token)
                return  # tasks that were started inside go on with it
        self._end()

    def _end(self, _: object = None) -> None:
        self.is_over = True


@contextmanager
def recording_metadata(**metadata: object) -> Iterator[None]:
    """Give every event made inside the block these metadata.

    Blocks nest: the inner one adds to the outer one and wins where both name a key. The values
    follow the running task, so concurrent requests do not see each other's. A task that is started
    inside the block keeps them.

    A block may be around a ``yield``, as in a fixture: it holds until the generator is closed or
    dropped, whichever task does that.

    >>> from eventsourcing_core import Event
    >>> with recording_metadata(user="alice"):
    ...     event = Event("Opened", {})
    >>> event.metadata["user"]
    'alice'
    """
    block = _Block(metadata)
    block.enter()
    try:
        yield
    finally:
        block.leave()


def current_metadata(own: Mapping[str, object] | None) -> Mapping[str, object]:
    """Join the metadata of the surrounding blocks with an event's own."""
    block = _innermost.get()
    surrounding = NO_METADATA if block is None else block.metadata()
    if not own:
        return surrounding
    try:
        return MappingProxyType({**surrounding, **own})
    except TypeError:  # asked for afterwards, as it is rare
        message = f"metadata is a mapping, got {shown(own)}"
        raise TypeError(message) from None


def _generators_at_work() -> Iterable[Any]:
    """Give the asynchronous generators in which the caller is."""
    frames: set[object] = set()
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - nothing else gives it, and every Python has it
    while frame is not None:
        if frame.f_code.co_flags & CO_ASYNC_GENERATOR:
            frames.add(frame)
        frame = frame.f_back
    if not frames:
        return ()
    # Who closes what is dropped must know it. Without a loop, Python closes it at once.
    with suppress(RuntimeError):
        known = [*getattr(asyncio.get_running_loop(), "_asyncgens", ())]
        return [generator for generator in known if generator.ag_frame in frames]
    return ()
