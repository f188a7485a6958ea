"""Groups: what is appended to several streams, and what must not have happened meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from eventsourcing_core._encoding._boundaries.asking import Wanted
from eventsourcing_core._errors import StorageError, shown
from eventsourcing_core._events.tags import tags_of
from eventsourcing_core._names import check_stream_id
from eventsourcing_core.stores._append import Append
from eventsourcing_core.stores._boundaries.conditions import (
    Condition,
    MissedError,
    Required,
    Witness,
)
from eventsourcing_core.stores._boundaries.words import (
    BoundaryError,
    Marker,
    MatchingEvents,
    StreamAt,
    ToStream,
)
from eventsourcing_core.stores._checks import check_whole
from eventsourcing_core.stores._storage import Guarantee

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core._encoding._boundaries.asking import Asking
    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core.stores._append import Write, Written
    from eventsourcing_core.stores._boundaries.words import Query
    from eventsourcing_core.stores._event_store import AppendResult
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts

G = TypeVar("G")

_GROUPS = "appends to one stream at a time, and requires no other"
_CONDITIONS = "takes no conditions"
_TAGS = "keeps no tags"
_IMPORTS = "cannot import events"
_QUERIES = "keeps no tags, and takes no queries"
_EVENTS = "keeps no events"
_HOLDING = "holds no tags"
_NO_REASON = (
    "refused an append by a condition that it does not have: this is a fault of the storage"
)


class Groups:
    """Checks and encodes groups, and speaks of boundaries with a storage.

    Args:
        parts: What the store is made of; it has a storage.
        codec: What encodes the events.
        asking: What the events of queries are called.
    """

    def __init__(self, parts: Parts, codec: EventCodec, asking: Asking) -> None:
        self._parts = parts
        self._codec = codec
        self._asking = asking
        self._token = uuid4().bytes
        self.are_limited: bool = Guarantee.BOUNDARIES not in parts.guarantees
        """Whether the store keeps no tags, so that each append is to be looked at."""

    def encode(
        self,
        writes: Sequence[ToStream],
        requires: Iterable[StreamAt],
        unless_changed: Marker | None,
    ) -> Append:
        """Check and encode the arguments of ``append_together``, before anything is sent.

        Raises:
            ValueError: Nothing to write; a stream is named twice; or the marker is of another
                store; or as for one append.
            TypeError: Something is of another type.
            StorageError: The storage does not promise what is asked for.
        """
        appends = [self._encode_one(each) for each in writes]
        if not appends:
            message = "nothing to append: give at least one ToStream"
            raise ValueError(message)
        written = sorted([append.writes[0] for append in appends], key=lambda write: write[0])
        required = self._required(requires)
        _check_streams(written, required)
        size = sum(append.size for append in appends)
        condition = None if unless_changed is None else self._condition(unless_changed)
        group = Append(tuple(written), size, None, required, condition)
        self.check_promised(group)
        return group

    def check_promised(self, append: Append) -> None:
        """Refuse what the storage does not promise.

        Raises:
            StorageError: It names the storage.
        """
        promised = self._parts.guarantees
        if append.imported is not None:
            if Guarantee.IMPORTS not in promised:
                raise self._lacks(_IMPORTS)
        elif Guarantee.GROUPS not in promised and len(append.keys) > 1:
            raise self._lacks(_GROUPS)
        if Guarantee.BOUNDARIES in promised:
            return
        if append.condition is not None:
            raise self._lacks(_CONDITIONS)
        if any(event.tags for write in append.writes for event in write.events):
            raise self._lacks(_TAGS)

    async def read(self, query: Query) -> MatchingEvents:
        """Read what matches; see ``EventStore.read_matching``."""
        if self.are_limited:
            raise self._lacks(_QUERIES)
        wanted = self._asking.wanted(None, query)
        items = self._asking.stored(wanted.items or ())
        storage = self._parts.storage
        if storage is None:  # pragma: no cover - the front has looked
            raise self._lacks(_EVENTS)
        horizon, rows, witness = await storage.matching(items)

        seen = frozenset([row[2] for row in rows if row[2] > horizon])
        events = tuple(self._asking.chosen(self._codec.decode(rows), wanted))
        condition = Condition(items, horizon, seen, _last_read(rows, witness))
        return MatchingEvents(events, Marker(condition, wanted.items or (), self._token))

    async def write(
        self, group: Append, marker: Marker | None, write: Callable[[Append], Awaitable[Written]]
    ) -> Written:
        """Write a group, and again if it was refused only for what does not match once it is read.

        Raises:
            BoundaryError: Its condition does not hold.
        """
        while True:
            try:
                return await write(group)
            except MissedError as missed:
                refusal = self._refused(missed, marker)
            # Upcasters may make something else of all that was missed. A storage that says so again
            # has a fault.
            if not isinstance(refusal, BoundaryError) or refusal.events:
                raise refusal
            if refusal.marker.condition == group.condition:
                raise refusal
            marker = refusal.marker
            group = group._replace(condition=marker.condition)

    def _refused(self, error: MissedError, marker: Marker | None) -> BoundaryError | StorageError:
        """Give what the caller gets whose condition does not hold."""
        if marker is None:  # a fault of the storage
            return self._lacks(_NO_REASON)
        before, rows = marker.condition, error.rows
        horizon = max(before.horizon, error.horizon)
        seen = frozenset([at for at in (*before.seen, *(row[2] for row in rows)) if at > horizon])
        wanted = Wanted(items=marker.items)
        events = tuple(self._asking.chosen(self._codec.decode(rows), wanted))
        after = Condition(before.items, horizon, seen, _last_read(rows, before.witness))
        after_these = Marker(after, marker.items, self._token)
        return BoundaryError(events, after_these, are_more=error.are_more)

    def to_hold(self, tags: Sequence[str]) -> list[AbstractAsyncContextManager[None]]:
        """Give what holds tags, in one order for everybody, so that nobody waits in a circle.

        Raises:
            ValueError: A tag is none that a store keeps, or comes twice; or there is none.
            StorageError: The storage holds no tags.
        """
        wanted = tags_of(tags, "hold:")
        if not wanted:
            message = "nothing to hold: name a tag"
            raise ValueError(message)
        holding = self._parts.holding
        if holding is None:
            raise self._lacks(_HOLDING)
        return [holding.hold(tag) for tag in sorted(wanted)]

    def _encode_one(self, each: ToStream) -> Append:
        return self._codec.encode_append(
            each.stream_id, each.events, each.expected_version, each.tags
        )

    def _required(self, requires: Iterable[StreamAt]) -> tuple[Required, ...]:
        required: list[Required] = []
        for stream_id, version in (
            (each.stream_id, each.version) for each in listed(requires, "requires", StreamAt)
        ):
            check_stream_id(stream_id)
            check_whole(f"version of the required stream {stream_id!r}", version, lowest=0)
            required.append(Required(stream_id, version))
        return tuple(sorted(required))

    def _condition(self, marker: Marker) -> Condition:
        given: object = marker
        if not isinstance(given, Marker):
            message = (
                f"unless_changed is a marker of read_matching, got {shown(given)}: give it the "
                "`marker` of what `await store.read_matching(query)` gives"
            )
            raise TypeError(message)
        if marker.store != self._token:
            message = "the marker is of another store: append with the store that you read from"
            raise ValueError(message)
        return marker.condition

    def _lacks(self, what: str) -> StorageError:
        return StorageError(f"{type(self._parts.storage).__name__} {what}")


def in_order(
    writes: Sequence[ToStream], group: Append, written: Written
) -> tuple[AppendResult, ...]:
    """Give the results of a group in the order in which its writes were given."""
    by_stream = {
        write.stream_id: result for write, result in zip(group.writes, written.results, strict=True)
    }
    return tuple([by_stream[each.stream_id] for each in writes])


def _check_streams(writes: Sequence[Write], requires: Sequence[Required]) -> None:
    """Refuse a stream that is named twice."""
    written: set[str] = set()
    for write in writes:
        if write.stream_id in written:
            message = (
                f"stream {write.stream_id!r} is named twice: put the events of a stream into one "
                "ToStream"
            )
            raise ValueError(message)
        written.add(write.stream_id)
    required: set[str] = set()
    for stream_id, _ in requires:
        if stream_id in written:
            message = (
                f"stream {stream_id!r} is written to and required: give the version as its "
                "expected_version"
            )
            raise ValueError(message)
        if stream_id in required:
            message = f"stream {stream_id!r} is required twice: name it once"
            raise ValueError(message)
        required.add(stream_id)


def listed(given: Iterable[G], name: str, kind: type[G]) -> list[G]:
    """Give what an argument holds, once it is seen to be of the right kind.

    Raises:
        TypeError: It is not.
    """
    wanted = f"{name} is a list of {kind.__name__}"
    if not isinstance(given, Iterable):
        message = f"{wanted}, got {shown(given)}"
        raise TypeError(message)
    listed = [*given]
    for each in listed:
        if not isinstance(each, kind):
            message = f"{wanted}, and holds {shown(each)}"
            raise TypeError(message)
    return listed


def _last_read(rows: Sequence[Row], witness: Witness | None) -> Witness | None:
    """Give the last of the rows that were read, or a witness that stands behind it."""
    if rows and (witness is None or rows[-1][2] > witness.position):
        return Witness(rows[-1][2], rows[-1][7])
    return witness
