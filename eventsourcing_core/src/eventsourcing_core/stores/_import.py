"""Events of another store as a store gets them: checked, encoded, and able to judge themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing_core.stores._append import EncodedEvent, Place


class ImportedEvent(NamedTuple):
    """An event, and where it stood in the store that it comes from."""

    event: EncodedEvent
    """The event, encoded for the store that it goes to."""
    stream_id: str
    """Its stream, checked."""
    version: int
    """Its version in the stream, 1 or more; the same in both stores."""


class Import(NamedTuple):
    """The events of one import: ``EventCodec.encode_import`` makes it."""

    events: tuple[ImportedEvent, ...]
    """The events in the order of their new positions; there may be none."""

    @property
    def stream_ids(self) -> list[str]:
        """Each stream once, in the order of code points, which is that of UTF-8 and of "C"."""
        return sorted({imported.stream_id for imported in self.events})

    @property
    def event_ids(self) -> list[bytes]:
        """The id of each event, in their order."""
        return [imported.event.event_id for imported in self.events]

    def settle(
        self, versions: Mapping[str, int], places: Mapping[bytes, Place]
    ) -> list[ImportedEvent]:
        """Decide this import; every store decides by this rule.

        Args:
            versions: The versions now of those of its streams that the store has. They and the
                places are of one moment, and hold until the import is written.
            places: Where those of its event ids stand that the store holds already.

        Returns:
            What is to be written, in this order, each event at its own version; without the events
            that stand there already.

        Raises:
            ConcurrencyError: An event is not the next one of its stream.
            DuplicateEventError: An event id stands elsewhere, or twice in this import.
        """
        reached = dict(versions)
        seen: dict[bytes, ImportedEvent] = {}
        fresh: list[ImportedEvent] = []
        for imported in self.events:
            event_id = imported.event.event_id
            if event_id in seen:
                _refuse_duplicate(event_id, seen[event_id].stream_id, seen[event_id].version)
            seen[event_id] = imported
            place = places.get(event_id)
            if place is None:
                _advance(reached, imported)
                fresh.append(imported)
            elif (place.stream_id, place.version) != (imported.stream_id, imported.version):
                _refuse_duplicate(event_id, place.stream_id, place.version)
        return fresh


def _advance(reached: dict[str, int], imported: ImportedEvent) -> None:
    _, stream_id, version = imported
    before = reached.get(stream_id, 0)
    if before != version - 1:
        raise ConcurrencyError(stream_id, version - 1, before, "import")
    reached[stream_id] = version


def _refuse_duplicate(event_id: bytes, stream_id: str, version: int) -> None:
    raise DuplicateEventError(UUID(bytes=event_id), stream_id, version)
