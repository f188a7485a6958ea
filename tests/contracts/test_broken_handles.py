"""What these stores forget when closed, or do not see of another handle, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core.stores import Parts, StorageError
from eventsourcing_core.testing._handles.reopened import (
    ReopenedContract,
    ReopenedIdContract,
    ReopenedImportContract,
    ReopenedInspectionContract,
    ReopenedTransactionContract,
)
from eventsourcing_core.testing._handles.shared import (
    SharedContract,
    SharedIdContract,
    SharedImportContract,
    SharedTransactionContract,
)
from tests.contracts._broken import BrokenStorage, new_location_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, Placed, Row, RowQuery, Span, Verdict, Written
    from eventsourcing_core.testing import NewLocation
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages, Rows


class Broken(BrokenStorage):
    """A fault of closing, or of a handle that believes that it is alone."""


class ForgetsEverything(Broken):
    caught_by = (
        "test_what_was_appended_is_there_when_it_is_opened_again",
        "test_versions_go_on_when_it_is_opened_again",
        "test_positions_are_not_given_again_when_it_is_opened_again",
        "test_an_append_can_be_repeated_when_it_is_opened_again",
        "test_what_was_confirmed_while_it_was_closed_is_there",
        "test_a_follower_goes_on_when_it_is_opened_again",
        "test_only_what_was_committed_is_there_when_it_is_opened_again",
        "test_closing_one_handle_leaves_the_other_usable",
    )

    @classmethod
    def closing(cls, log: EventLog) -> None:
        for kept in (log.rows, log.streams, log.places):
            kept.clear()


class LosesTheLast(Broken):
    caught_by = (
        "test_what_was_appended_is_there_when_it_is_opened_again",
        "test_what_was_confirmed_while_it_was_closed_is_there",
        "test_an_append_that_was_cancelled_is_whole_or_undone_when_it_is_opened_again",
        "test_what_was_refused_is_not_there_when_it_is_opened_again",
        "test_only_what_was_committed_is_there_when_it_is_opened_again",
        "test_streams_and_statistics_are_the_same_when_it_is_opened_again",
    )

    @classmethod
    def closing(cls, log: EventLog) -> None:
        if log.rows:
            lost = log.rows.pop()
            log.streams[lost.stream_id].pop()
            log.places.pop(lost.event_id, None)


class ForgetsIds(Broken):
    caught_by = (
        "test_an_append_can_be_repeated_when_it_is_opened_again",
        "test_ids_are_known_when_it_is_opened_again",
        "test_an_import_is_resumed_when_it_is_opened_again",
    )

    @classmethod
    def closing(cls, log: EventLog) -> None:
        log.places.clear()


class ForgetsOldIds(Broken):
    caught_by = ("test_ids_are_known_when_it_is_opened_again",)

    @classmethod
    def closing(cls, log: EventLog) -> None:
        for event_id in [*log.places][:-100]:
            del log.places[event_id]


class ForgetsMetadata(Broken):
    caught_by = ("test_what_was_appended_is_there_when_it_is_opened_again",)

    @classmethod
    def closing(cls, log: EventLog) -> None:
        log.rows[:] = [row._replace(metadata=None) for row in log.rows]


class OtherIds(Broken):
    caught_by = ("test_a_follower_goes_on_when_it_is_opened_again",)

    @classmethod
    def closing(cls, log: EventLog) -> None:
        log.rows[:] = [row._replace(event_id=row.event_id[::-1]) for row in log.rows]


class KeepsWhatWasRefused(Broken):
    caught_by = ("test_what_was_refused_is_not_there_when_it_is_opened_again",)

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, Exception):
            (write,) = append.writes
            version = self.version(write.stream_id)
            self.keep(append, [(write.stream_id, version + 1, write.events[0])])
        return verdict


class PositionsOfItsOwn(Broken):
    """Knows the last position as it was when it was opened."""

    caught_by = (
        "test_positions_are_not_given_again_when_it_is_opened_again",
        "test_positions_of_two_handles_are_different_and_grow",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.position = max(0, len(log.rows) - 1)

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        written = super().keep(append, placed)
        self.position += 1
        self.log.rows[-1] = self.log.rows[-1]._replace(position=self.position)
        return written._replace(
            results=tuple(result._replace(position=self.position) for result in written.results)
        )


class VersionsOfItsOwn(Broken):
    """Looks a version up once, and then counts what it writes itself."""

    caught_by: ClassVar[tuple[str, ...]] = (
        "test_a_version_is_that_of_both_handles",
        "test_one_of_two_handles_gets_a_version",
        "test_each_handle_sees_what_the_other_appends",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.known: dict[str, int] = {}

    def version(self, stream_id: str) -> int:
        return self.known.setdefault(stream_id, super().version(stream_id))

    def add(self, rows: Sequence[Row]) -> None:
        super().add(rows)
        self.known.update({row.stream_id: row.version for row in rows})


class VersionsBeginAnew(VersionsOfItsOwn):
    caught_by = ("test_versions_go_on_when_it_is_opened_again",)

    def version(self, stream_id: str) -> int:
        return self.known.get(stream_id, 0)


class IdsOfItsOwn(Broken):
    """Remembers the ids that it has written or looked for."""

    caught_by = (
        "test_an_id_of_the_other_handle_is_known",
        "test_a_repetition_through_the_other_handle_at_once_has_one_result",
        "test_the_same_import_through_two_handles_writes_each_event_once",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.known: dict[bytes, Row] = {}

    def places(self, append: Append) -> dict[bytes, Row]:
        return {key: self.known[key] for key in append.event_ids if key in self.known}

    def add(self, rows: Sequence[Row]) -> None:
        super().add(rows)
        self.known.update({row.event_id: row for row in rows})


class IdsThatWereMissing(Broken):
    """Believes for ever that an id is new which was new when it looked."""

    caught_by = ("test_an_id_of_the_other_handle_is_known",)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.missing: set[bytes] = set()

    def places(self, append: Append) -> dict[bytes, Row]:
        places = super().places(append)
        self.missing.update(key for key in append.event_ids if key not in places)
        return {key: place for key, place in places.items() if key not in self.missing}


class ReadsWhatItRead(Broken):
    """Keeps the rows that it has read, and adds its own."""

    caught_by = ("test_each_handle_sees_what_the_other_appends",)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.read: dict[str, list[Row]] = {}

    async def rows(self, stream_id: str, span: Span) -> Rows:
        read = self.read.setdefault(stream_id, [*self.log.streams.get(stream_id, [])])
        yield read[span.from_version - 1 : span.to_version][: span.limit]


class WaitsForItself(Broken):
    """Is woken by its own appends only."""

    caught_by = (
        "test_who_waits_notices_what_another_handle_appends",
        "test_followers_miss_nothing_of_what_two_handles_append",
        "test_the_other_handle_sees_a_transaction_when_it_is_committed",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.grown = asyncio.Event()

    def add(self, rows: Sequence[Row]) -> None:
        super().add(rows)
        self.grown.set()
        self.grown = asyncio.Event()

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        if len(self.log.rows) <= after_position and timeout > 0:
            await asyncio.wait_for(self.grown.wait(), timeout)
        return len(self.log.rows) > after_position


class SkipsTheOthers(Broken):
    """Believes that what lies before its own last append was seen."""

    caught_by = ("test_followers_miss_nothing_of_what_two_handles_append",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page._replace(rows=page.rows[-1:]) if after and len(page.rows) > 1 else page


class ClosesForAll(Broken):
    caught_by = ("test_closing_one_handle_leaves_the_other_usable",)

    @classmethod
    def closing(cls, log: EventLog) -> None:
        log.turns = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue] - the fault

    def decide(self, append: Append) -> Written:
        if vars(self.log)["turns"] is None:
            message = "the environment is closed"
            raise StorageError(message)
        return super().decide(append)


class AtOnce:
    """A transaction that writes at once, and takes nothing back."""

    connection: Any = None
    snapshot_store = None

    def __init__(self, storage: BrokenStorage) -> None:
        self.write = storage.write
        self.rows = storage.rows

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AtOnce]:
        yield self


class ShowsWhatIsNotCommitted(Broken):
    caught_by = (
        "test_the_other_handle_sees_a_transaction_when_it_is_committed",
        "test_only_what_was_committed_is_there_when_it_is_opened_again",
    )

    @classmethod
    def parts_on(cls, log: EventLog) -> Parts:
        storage = cls(log)
        return Parts(storage=storage, transactions=AtOnce(storage))


class TestBrokenHandles(
    ReopenedContract,
    ReopenedIdContract,
    ReopenedImportContract,
    ReopenedInspectionContract,
    ReopenedTransactionContract,
    SharedContract,
    SharedIdContract,
    SharedImportContract,
    SharedTransactionContract,
):
    faults = (*Broken.__subclasses__(), VersionsBeginAnew)
    deadline = 0.5
    notice = 0.3

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> NewLocation:
        return new_location_of(fault)
