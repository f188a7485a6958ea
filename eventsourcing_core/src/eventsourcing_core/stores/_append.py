"""Appends as storages get them: checked, encoded, and able to judge their own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from eventsourcing_core._errors import (
    ConcurrencyError,
    DuplicateEventError,
    HistoryChangedError,
)
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._boundaries.conditions import MissedError, check_condition
from eventsourcing_core.stores._boundaries.row_index import RowIndex
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._rows import EncodedEvent, Place, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from eventsourcing_core.stores._boundaries.conditions import Condition, Found, Required

_EVENT_ID: Final = 4  # in an encoded event
_ROW_EVENT_ID: Final = 7  # in a row
_new: Any = vars(tuple)["__new__"]  # as it stands there, it takes a class and a tuple


class Write(NamedTuple):
    """The events of one stream in an append."""

    stream_id: str
    """The stream to append to, checked."""
    events: tuple[EncodedEvent, ...]
    """The events, at least one."""
    expected_version: int | ExpectedVersion
    """What the caller expects of the stream, checked; of no meaning in an import."""


class Imported(NamedTuple):
    """Where an event of an import goes; the events of an import bring their own versions."""

    write: int
    """The index of its write in the append."""
    event: int
    """Its index among the events of the write."""
    version: int
    """Its version in the stream, 1 or more."""


Placed: TypeAlias = tuple[str, int, EncodedEvent]
"""An event that is to be written, and where: its stream, its version there, and the event."""


class Written(NamedTuple):
    """What became of an append that succeeded."""

    results: tuple[AppendResult, ...]
    """For each write, where it left its stream; empty for an import."""
    count: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride] - nobody counts in this tuple
    """How many events were written now: 0 if all were there already."""


Verdict = Written | Exception
"""What became of one append: where it was written, or the error that its caller gets."""


class Append(NamedTuple):
    """A group of events that is written as a whole or not at all.

    Usually it is one write to one stream. An import has a write for each of its streams.
    """

    writes: tuple[Write, ...]
    """One for each stream, sorted by stream id; at least one."""
    size: int
    """Bytes of data and metadata of all events together."""
    imported: tuple[Imported, ...] | None = None
    """The events of an import in the order of their new positions; None if it is not an import."""
    requires: tuple[Required, ...] = ()
    """Streams that must be where the caller saw them, sorted by stream id; none is written to."""
    condition: Condition | None = None
    """What must not have happened; None: anything may have."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What it must be first in line for: the streams that it writes to or requires.

        Tags are none: appends to one boundary are judged one after the other in one batch.
        """
        writes, requires = self.writes, self.requires
        if len(writes) == 1 and not requires:  # nearly always, and the queue asks every append
            return (writes[0].stream_id,)
        return (*[each.stream_id for each in writes], *[each.stream_id for each in requires])

    @property
    def is_plain(self) -> bool:
        """Whether it is one write to one stream, and nothing else has a say in it."""
        return (
            len(self.writes) == 1
            and self.imported is None
            and not self.requires
            and self.condition is None
        )

    @property
    def event_ids(self) -> list[bytes]:
        """The ids of all its events."""
        return [event.event_id for write in self.writes for event in write.events]

    def settle(
        self,
        versions: Mapping[str, int],
        places: Mapping[bytes, Place | Row],
        found: Found | None = None,
        others: Iterable[Row] = (),
    ) -> Written | list[Placed]:
        """Decide this append; every storage decides by this rule.

        Args:
            versions: The versions now of those of its ``keys`` that are there, read in the
                transaction that will write.
            places: Where those of its event ids stand that the storage holds already, of the same
                moment; the rows themselves will do.
            found: What the storage holds about its condition, of the same moment; None if it has
                no condition.
            others: What earlier appends of the same batch write, by position.

        Returns:
            What is to be written, in the order of the positions to be given; or ``Written`` if
            nothing is to be written, since this repeats an append that succeeded.

        Raises:
            ConcurrencyError: A stream is not at the expected version, or a required one not where
                it must be.
            DuplicateEventError: An event id stands elsewhere, or twice in this append.
            MissedError: Its condition does not hold.
            HistoryChangedError: Its condition is about what this store does not hold.
            TypeError: Nobody has looked for what its condition is about.
        """
        if self.imported is not None:
            return self._settle_import(self.imported, versions, places)

        standing = [_standing(write, versions, places) for write in self.writes]
        if all(standing):
            return Written(tuple([AppendResult(p.version, p.position) for p in standing if p]), 0)

        _check_required(self.requires, versions)
        seen: dict[bytes, Placed] = {}
        for stream_id, events, expected in self.writes:
            version = versions.get(stream_id, 0)
            if not _is_expected(expected, version):
                raise ConcurrencyError(stream_id, expected, version)
            for event in events:
                version += 1
                event_id = event[_EVENT_ID]
                if event_id in places or event_id in seen:
                    _refuse_taken(event_id, places, seen)
                seen[event_id] = (stream_id, version, event)
        if self.condition is not None:
            if found is None:
                message = "an append with a condition is settled by what was found of it"
                raise TypeError(message)
            check_condition(self.condition, found, others)
        return list(seen.values())

    def _settle_import(
        self,
        imported: tuple[Imported, ...],
        versions: Mapping[str, int],
        places: Mapping[bytes, Place | Row],
    ) -> Written | list[Placed]:
        """Decide an import: what is there at its own place is skipped, the rest must fit."""
        reached = dict(versions)
        seen: dict[bytes, Placed] = {}
        fresh: list[Placed] = []
        for write, index, version in imported:
            stream_id, events, _ = self.writes[write]
            event = events[index]
            event_id = event[_EVENT_ID]
            placed = (stream_id, version, event)
            place = places.get(event_id)
            if event_id in seen:
                _refuse_taken(event_id, {}, seen)
            elif place is None:
                before = reached.get(stream_id, 0)
                if before != version - 1:
                    raise ConcurrencyError(stream_id, version - 1, before, "import")
                reached[stream_id] = version
                fresh.append(placed)
            elif place[:2] != (stream_id, version):
                _refuse_taken(event_id, places, seen)
            seen[event_id] = placed
        return fresh or Written((), 0)


class Judge:
    """Decides appends one after the other, each by what the earlier ones leave.

    For storages that look up what a batch needs to know, decide, and then write all rows at once.

    Args:
        versions: The versions of those streams that are there, of the ``keys`` of the batch.
        places: Where those event ids of the batch stand that are there.
        last_position: The highest position that was ever given; the next one is given next.
    """

    def __init__(
        self, versions: Mapping[str, int], places: Mapping[bytes, Place | Row], last_position: int
    ) -> None:
        self._versions = dict(versions)
        self._places: dict[bytes, Place | Row] = dict(places)
        self._last_position = last_position
        self.rows: list[Row] = []
        """What is to be written, by position."""
        self._index = RowIndex(self.rows)

    def judge(self, append: Append, found: Found | None = None) -> Verdict:
        """Decide one append; what it writes is added to ``rows``.

        Args:
            append: The append.
            found: What the storage holds about its condition, as for ``versions``; None if it has
                no condition.
        """
        if append.is_plain:
            usual = self._judge_new(append.writes[0])
            if usual is not None:
                return usual
        condition = append.condition
        others = () if condition is None else self._index.matching(condition.items)
        try:
            settled = append.settle(self._versions, self._places, found, others)
        except (ConcurrencyError, DuplicateEventError, MissedError, HistoryChangedError) as verdict:
            return verdict
        if isinstance(settled, Written):
            return settled

        first = len(self.rows)
        for position, (stream_id, version, event) in enumerate(settled, self._last_position + 1):
            self.rows.append(Row(stream_id, version, position, *event))
        last: dict[str, Row] = {}
        for row in self.rows[first:]:
            self._places[row[_ROW_EVENT_ID]] = row  # its place comes first in it
            last[row[0]] = row
        self._last_position += len(settled)
        self._versions.update({stream_id: row.version for stream_id, row in last.items()})

        if append.imported is not None:
            return Written((), len(settled))
        ends = [last[write.stream_id] for write in append.writes]
        return Written(
            tuple([AppendResult(row.version, row.position) for row in ends]), len(settled)
        )

    def _judge_new(self, write: Write) -> Verdict | None:
        """Decide an append to one stream if none of its ids is known; None: ``settle`` decides.

        Nearly every append is one, and is decided so in less than half of the time.
        """
        stream_id, events, expected = write
        if events[0][_EVENT_ID] in self._places:
            return None
        before = self._versions.get(stream_id, 0)
        if expected != before and not _is_expected(expected, before):
            return ConcurrencyError(stream_id, expected, before)

        last = self._last_position
        rows = [
            # By the tuple's own constructor: that of a NamedTuple is a function in Python.
            _new(Row, (stream_id, before + number, last + number, *event))
            for number, event in enumerate(events, start=1)
        ]
        fresh = {row[_ROW_EVENT_ID]: row for row in rows}
        if len(fresh) < len(rows) or not self._places.keys().isdisjoint(fresh):
            return None

        self.rows += rows
        self._places.update(fresh)
        self._versions[stream_id] = before + len(rows)
        self._last_position += len(rows)
        result = AppendResult(before + len(rows), self._last_position)
        return Written((result,), len(rows))


def _check_required(requires: Iterable[Required], versions: Mapping[str, int]) -> None:
    for stream_id, expected in requires:
        version = versions.get(stream_id, 0)
        if version != expected:
            raise ConcurrencyError(stream_id, expected, version)


def _is_expected(expected: int | ExpectedVersion, version: int) -> bool:
    match expected:
        case ExpectedVersion.ANY:
            return True
        case ExpectedVersion.STREAM_EXISTS:
            return version > 0
        case ExpectedVersion.NO_STREAM:
            return version == 0
        case _:
            return version == expected


def _standing(
    write: Write, versions: Mapping[str, int], places: Mapping[bytes, Place | Row]
) -> Place | Row | None:
    """Give the place of the last event if all of them stand where this write would have put them.

    With a number (or ``NO_STREAM``) that is at exactly the expected place, and otherwise at any
    place of the stream, in this order.
    """
    standing: list[Place | Row] = []
    for event in write.events:
        place = places.get(event.event_id)
        if place is None or place.stream_id != write.stream_id:
            return None
        if standing and place.version <= standing[-1].version:
            return None
        standing.append(place)

    expected = write.expected_version
    if expected in {ExpectedVersion.ANY, ExpectedVersion.STREAM_EXISTS}:
        return standing[-1]
    before = expected if isinstance(expected, int) else 0
    first, last = standing[0].version, standing[-1].version
    is_at_place = first == before + 1 and last == before + len(write.events)
    is_past = not _is_expected(expected, versions.get(write.stream_id, 0))
    return standing[-1] if is_at_place and is_past else None


def _refuse_taken(
    event_id: bytes, places: Mapping[bytes, Place | Row], seen: Mapping[bytes, Placed]
) -> None:
    taken = places.get(event_id) or seen.get(event_id)
    if taken is not None:
        raise DuplicateEventError(UUID(bytes=event_id), taken[0], taken[1])
