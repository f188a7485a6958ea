"""One append as a store gets it: checked, encoded, and able to judge its own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._event_store import AppendResult

if TYPE_CHECKING:
    from collections.abc import Mapping


class EncodedEvent(NamedTuple):
    """An event as stores keep it."""

    event_type: str
    """The stored name of its type."""
    data: bytes
    """The payload, encoded."""
    metadata: bytes | None
    """The metadata, encoded; None if there are none."""
    encoding: str
    """The names of what made the bytes: ``json``, ``msgpack``, ``msgpack+zstd``."""
    event_id: bytes
    """The 16 bytes of its UUID."""
    timestamp: int
    """Microseconds since 1970, in UTC."""


class Place(NamedTuple):
    """Where an event stands."""

    stream_id: str
    """Its stream."""
    version: int
    """Its version in the stream."""
    position: int
    """Its position in the store."""


class Append(NamedTuple):
    """One append to one stream: ``EventCodec.encode_append`` makes it."""

    stream_id: str
    """The stream to append to, checked."""
    events: tuple[EncodedEvent, ...]
    """The events, at least one."""
    expected_version: int | ExpectedVersion
    """What the caller expects of the stream, checked."""
    size: int
    """Bytes of data and metadata of all events together."""

    def settle(self, version: int, places: Mapping[bytes, Place]) -> AppendResult | None:
        """Decide this append; every store decides by this rule.

        Args:
            version: The stream's version now, read in the transaction that will write.
            places: Where those of this append's event ids stand that the store holds already.

        Returns:
            None when the events are to be written from ``version + 1`` on; the original result
            when this append is a repetition of one that succeeded.

        Raises:
            ConcurrencyError: The stream is not at the expected version.
            DuplicateEventError: An event id stands elsewhere, or twice in this append.
        """
        standing = self._standing(places)
        if not self._is_expected(version):
            if standing and self._is_at_expected_place(standing):
                return AppendResult(standing[-1].version, standing[-1].position)
            raise ConcurrencyError(self.stream_id, self.expected_version, version)
        if standing and isinstance(self.expected_version, ExpectedVersion):
            return AppendResult(standing[-1].version, standing[-1].position)
        self._refuse_duplicates(version, places)
        return None

    def _is_expected(self, version: int) -> bool:
        match self.expected_version:
            case ExpectedVersion.ANY:
                return True
            case ExpectedVersion.STREAM_EXISTS:
                return version > 0
            case ExpectedVersion.NO_STREAM:
                return version == 0
            case expected:
                return version == expected

    def _standing(self, places: Mapping[bytes, Place]) -> list[Place]:
        """Give the places of all events if they stand in this stream, in this order; else none."""
        standing: list[Place] = []
        for event in self.events:
            place = places.get(event.event_id)
            if place is None or place.stream_id != self.stream_id:
                return []
            if standing and place.version <= standing[-1].version:
                return []
            standing.append(place)
        return standing

    def _is_at_expected_place(self, standing: list[Place]) -> bool:
        expected = self.expected_version
        before = expected if isinstance(expected, int) else 0
        return standing[0].version == before + 1 and standing[-1].version == before + len(
            self.events
        )

    def _refuse_duplicates(self, version: int, places: Mapping[bytes, Place]) -> None:
        seen: dict[bytes, int] = {}
        for offset, event in enumerate(self.events, start=1):
            place = places.get(event.event_id)
            if place is not None:
                raise DuplicateEventError(
                    UUID(bytes=event.event_id), place.stream_id, place.version
                )
            if event.event_id in seen:
                raise DuplicateEventError(
                    UUID(bytes=event.event_id), self.stream_id, version + seen[event.event_id]
                )
            seen[event.event_id] = offset
