"""Folding: the events of a stream become a state, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from eventsourcing_core._encoding.decoded import DecodedPage
from eventsourcing_core._errors import missing_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._event_store import StreamStore

    Pages = AsyncIterator[Iterable[RecordedEvent[Any]]]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Folded(Generic[S]):
    """A state, and the stored event that it ends with."""

    state: S
    """What the events made of it."""
    version: int
    """The version of the last event; 0 if there was none."""
    position: int = 0
    """Its position; 0 if no event was read."""
    event_id: bytes = b""
    """The 16 bytes of its id; empty if no event was read."""
    snapshot_version: int | None = None
    """The version of the snapshot that it began with; None if it began with the first event."""
    untyped: Mapping[str, int] = field(default_factory=dict[str, int])
    """The types of the events that were read as dicts, since no class was registered for them, each
    with the version of the first one; 0 where that is in the snapshot."""


async def fold(
    pages: AsyncIterator[Iterable[RecordedEvent[Any]]],
    evolve: Callable[[S, RecordedEvent[Any]], S],
    state: S,
    *,
    version: int = 0,
) -> Folded[S]:
    """Make a state of the events of a stream, without an ``Aggregate``.

    For example::

        folded = await fold(store.read_pages("cart-7"), evolve, Cart())

    Args:
        pages: The events by version, from the one after ``version`` on.
        evolve: Gives the next state; it may change the one that it gets, and give it back.
        state: The state before them.
        version: The version of the last event in that state; 0 if there is none.

    Raises:
        StorageError: A version is missing.
    """

    def step(event: RecordedEvent[Any]) -> None:
        nonlocal state
        state = evolve(state, event)

    read = await apply_pages(pages, step, version)
    return folded_to(read, state)


class Applied(NamedTuple):
    """What was applied, up to which stored event."""

    version: int
    """Its version."""
    position: int
    """Its position; 0 if none was read."""
    event_id: bytes
    """Its id; empty if none was read."""
    untyped: Mapping[str, int]
    """See ``Folded``."""


async def apply_pages(
    pages: AsyncIterator[Iterable[RecordedEvent[Any]]],
    apply: Callable[[RecordedEvent[Any]], object],
    version: int,
) -> Applied:
    """Apply events, the first of them at the version after the given one.

    What upcasters have made of one stored event has its version; where they have made nothing, the
    version counts all the same.

    Raises:
        StorageError: A version is missing.
    """
    # Loads spend most of their time in these loops, so they do nothing else.
    position, event_id, untyped = 0, b"", dict[str, int]()
    async for page in pages:
        if isinstance(page, DecodedPage):  # whose rows were counted
            stream_id, first, *_ = page.first
            if first != version + 1:
                raise missing_events(stream_id, version + 1)
            for event in page:
                if type(event.data) is dict:
                    untyped.setdefault(event.event_type, event.version)
                apply(event)
            _, version, position, _, _, _, _, event_id, *_ = page.last
            continue
        for event in page:
            is_beside = event.version == version and event.raw_event_id == event_id
            if event.version != version + 1 and not is_beside:
                raise missing_events(event.stream_id, version + 1)
            if type(event.data) is dict:
                untyped.setdefault(event.event_type, event.version)
            apply(event)
            version, position, event_id = event.version, event.position, event.raw_event_id
    return Applied(version, position, event_id, untyped)


def folded_to(applied: Applied, state: S) -> Folded[S]:
    """Give the state that events were applied to."""
    version, position, event_id, untyped = applied
    return Folded(state, version, position, event_id, untyped=untyped)


FoldPages: TypeAlias = "Callable[[Pages, S, int], Awaitable[Folded[S]]]"
"""Folds pages into a state of a version."""


async def fold_after(  # noqa: PLR0913 - a stream, a state, and the event between them
    store: StreamStore,
    stream_id: str,
    fold_pages: FoldPages[S],
    state: S,
    *,
    version: int,
    event_id: bytes,
    to_version: int | None,
) -> Folded[S] | str:
    """Fold what comes after an event; say what is wrong if that is not in the stream.

    The event itself is read with the others, so looking whether it is there costs nothing. Nothing
    is folded if it is not.

    Raises:
        StorageError: A version is missing.
    """
    pages = store.read_pages(stream_id, from_version=version, to_version=to_version)
    return await fold_from(pages, fold_pages, state, version=version, event_id=event_id)


async def fold_from(
    pages: Pages, fold_pages: FoldPages[S], state: S, *, version: int, event_id: bytes
) -> Folded[S] | str:
    """Do as ``fold_after`` does, with pages that begin with the event itself."""
    async for page in pages:
        if isinstance(page, DecodedPage):
            _, _, position, _, _, _, _, found, *_ = page.first
            rest: Iterable[RecordedEvent[Any]] | None = page.after_first()
        else:
            events = iter(page)
            event = next(events, None)
            if event is None:
                continue
            position, found = event.position, event.raw_event_id
            rest = dropwhile(lambda each: each.version == version, events)
        if found != event_id:
            return f"the event at version {version} is another one: the stream was changed"
        folded = await fold_pages(_rest(rest, pages), state, version)
        if folded.version == version:
            return Folded(folded.state, version, position, event_id, version)
        return Folded(
            folded.state, folded.version, folded.position, folded.event_id, version, folded.untyped
        )
    return f"the stream ends before version {version}"


async def _rest(events: Iterable[RecordedEvent[Any]] | None, pages: Pages) -> Pages:
    if events is not None:
        yield events
    async for page in pages:
        yield page
