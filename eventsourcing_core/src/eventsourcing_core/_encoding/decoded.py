"""Pages of events that are decoded when they are asked for, and the rows that they are made of.

What is made of a stored event may be several events, or none. So who counts them counts rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row


class DecodedPage(Iterable["RecordedEvent[Any]"]):
    """The events of some rows, each decoded when it is asked for.

    Args:
        codec: What decodes them.
        rows: The rows, at least one; those of a stream without a hole.
        is_backward: Whether the events of a row come in their turned order, too.
    """

    __slots__ = ("_codec", "_is_backward", "_rows")

    def __init__(
        self, codec: EventCodec, rows: Sequence[Row], *, is_backward: bool = False
    ) -> None:
        self._codec = codec
        self._rows = rows
        self._is_backward = is_backward

    def __iter__(self) -> Iterator[RecordedEvent[Any]]:
        """Decode them."""
        if self._is_backward and self._codec.event_types.upcasters:
            return self._turned()
        return self._codec.decode(self._rows)

    @property
    def first(self) -> Row:
        """The first row."""
        return self._rows[0]

    @property
    def last(self) -> Row:
        """The last row."""
        return self._rows[-1]

    def after_first(self) -> DecodedPage | None:
        """Give what comes after the first row; None if that is nothing."""
        rows = self._rows[1:]
        return DecodedPage(self._codec, rows) if rows else None

    def _turned(self) -> Iterator[RecordedEvent[Any]]:
        for row in self._rows:
            yield from reversed([*self._codec.decode([row])])
