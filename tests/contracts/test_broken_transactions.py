"""What is wrong with these stores' transactions, the contract sees."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import Parts, Span, StorageError, Written
from eventsourcing_core.testing._transactions.ids import TransactionIdContract
from eventsourcing_core.testing._transactions.misuse import TransactionMisuseContract
from eventsourcing_core.testing._transactions.transactions import TransactionContract
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._transactions import InMemoryTransaction
from tests.contracts._broken import BrokenStorage, changed, expecting, opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, Verdict
    from eventsourcing_core.testing import OpenParts
    from tests.contracts._broken import Rows

ANY = ExpectedVersion.ANY


class Broken(InMemoryTransaction):
    """A transaction; a fault does something of it in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    connections: ClassVar[int] = 1000
    storage: ClassVar[type[BrokenStorage]] = BrokenStorage

    def __init__(self, log: EventLog) -> None:
        super().__init__(log, None, 0.3)

    @property
    def log(self) -> EventLog:
        return self._log

    @classmethod
    def parts(cls) -> Parts:
        log = EventLog()
        return Parts(storage=cls.storage(log), transactions=BrokenTransactions(log, cls))

    def leave(self, error: BaseException | None) -> None:
        """Commit, or roll back."""
        if error is None:
            self.commit()

    def is_given_back(self, error: BaseException | None) -> bool:  # noqa: ARG002 - for faults
        return True


class BrokenTransactions:
    """Opens transactions with a fault, as many at once as there are connections."""

    def __init__(self, log: EventLog, fault: type[Broken]) -> None:
        self.log = log
        self.fault = fault
        self.connections = fault.connections

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Broken]:
        if not self.connections:
            message = "no connection is left"
            raise StorageError(message)
        self.connections -= 1
        transaction = self.fault(self.log)
        error: BaseException | None = None
        try:
            yield transaction
        except BaseException as raised:
            error = raised
            raise
        finally:
            transaction.leave(error)
            transaction.end()
            self.connections += transaction.is_given_back(error)


# What is committed.


class FirstStreamOnly(Broken):
    caught_by = (
        "test_a_transaction_stores_events_in_several_streams",
        "test_many_transactions_at_once_are_all_stored",
    )

    def commit(self) -> None:
        rows = self._journal.rows
        self._journal.rows[:] = [row for row in rows if row.stream_id == rows[0].stream_id]
        super().commit()


class StreamByStream(Broken):
    caught_by = (
        "test_a_transaction_stores_events_in_several_streams",
        "test_appends_of_a_transaction_have_the_places_of_their_events",
    )

    def commit(self) -> None:
        first = len(self.log.rows) + 1
        rows = sorted(self._journal.rows, key=lambda row: row.stream_id)
        self._journal.rows[:] = [row._replace(position=at) for at, row in enumerate(rows, first)]
        super().commit()


class PositionsAreThoseOfTheBeginning(Broken):
    caught_by = ("test_appends_of_a_transaction_have_the_places_of_their_events",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        begin = len(self.log.rows)
        return [
            changed(each, lambda result: AppendResult(result.version, begin))
            if isinstance(each, Written)
            else each
            for each in await super().write(appends)
        ]


class WritesAtOnce(Broken):
    """Commits each append."""

    caught_by = (
        "test_nobody_else_sees_a_transaction_before_its_commit",
        "test_an_error_in_the_block_undoes_a_transaction",
        "test_a_transaction_whose_block_is_cancelled_is_undone",
        "test_a_commit_wakes_readers_that_wait",
        "test_ids_of_a_transaction_that_was_undone_are_free",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await super().write(appends)
        self.commit()
        self._journal = EventLog()
        return verdicts


class AlwaysCommits(Broken):
    caught_by = (
        "test_an_error_in_the_block_undoes_a_transaction",
        "test_a_transaction_whose_block_is_cancelled_is_undone",
        "test_ids_of_a_transaction_that_was_undone_are_free",
    )

    def leave(self, error: BaseException | None) -> None:  # noqa: ARG002 - the fault
        self.commit()


class NeverCommits(Broken):
    caught_by = (
        "test_a_transaction_stores_events_in_several_streams",
        "test_followers_get_what_a_transaction_stores",
        "test_the_store_is_refused_to_a_task_with_a_transaction",
        "test_a_transaction_of_another_store_is_refused",
    )

    def leave(self, error: BaseException | None) -> None:
        """Roll back."""


class EmptyCommitsFail(Broken):
    caught_by = ("test_a_transaction_that_writes_nothing_changes_nothing",)

    def commit(self) -> None:
        if not self._journal.rows:
            message = "there is nothing to commit"
            raise StorageError(message)
        super().commit()


class WakesNobody(Broken):
    caught_by = ("test_a_commit_wakes_readers_that_wait",)

    def commit(self) -> None:
        log = self.log
        turns, log.turns = log.turns, EventLog().turns
        super().commit()
        log.turns = turns


# What it reads and how it judges.


class ReadsWhatIsCommitted(Broken):
    caught_by = ("test_a_transaction_reads_what_it_wrote",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return InMemoryTransaction(self.log, None, 0.3).rows(stream_id, span)


class ReadsWithoutBounds(Broken):
    caught_by = ("test_a_transaction_reads_what_it_wrote",)

    def rows(self, stream_id: str, span: Span) -> Rows:  # noqa: ARG002 - the fault
        return super().rows(stream_id, Span())


class JudgesByWhatIsCommitted(Broken):
    caught_by = (
        "test_a_transaction_is_judged_by_what_it_wrote",
        "test_an_id_of_the_same_transaction_is_a_duplicate",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        journal, self._journal = self._journal, EventLog()
        verdicts = await super().write(appends)
        journal.add(self._journal.rows)
        self._journal = journal
        return verdicts


class ConflictIgnored(Broken):
    caught_by = (
        "test_a_conflict_leaves_a_transaction_usable",
        "test_a_transaction_is_judged_by_what_it_wrote",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return await super().write([expecting(append, ANY) for append in appends])


class ErrorsAbort(Broken):
    """As a database does without a savepoint."""

    caught_by = (
        "test_a_conflict_leaves_a_transaction_usable",
        "test_a_duplicate_leaves_a_transaction_usable",
    )

    is_aborted = False

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if self.is_aborted:
            message = "the transaction is aborted"
            raise StorageError(message)
        verdicts = await super().write(appends)
        kinds = (ConcurrencyError, DuplicateEventError)
        self.is_aborted = any(isinstance(verdict, kinds) for verdict in verdicts)
        return verdicts


# Beside everything else.


class NeverLetsGo(Broken):
    caught_by = (
        "test_an_append_beside_a_transaction_is_written_once_it_has_ended",
        "test_many_transactions_at_once_are_all_stored",
    )

    def end(self) -> None:
        """Keep the turn."""


class FewConnections(Broken):
    caught_by = ("test_many_transactions_at_once_are_all_stored",)
    connections = 10


class ConnectionsAreLost(Broken):
    """A transaction that ends with an error never gives its connection back."""

    caught_by = (
        "test_a_transaction_is_refused_in_another_task",
        "test_a_transaction_is_refused_in_itself",
        "test_a_transaction_of_another_store_is_refused",
    )
    connections = 10

    def is_given_back(self, error: BaseException | None) -> bool:
        return error is None


class ConnectionsOfCommitsAreLost(Broken):
    caught_by = ("test_a_transaction_is_refused_after_its_end",)
    connections = 10

    def is_given_back(self, error: BaseException | None) -> bool:
        return error is not None


class TestBrokenTransactions(TransactionContract, TransactionIdContract, TransactionMisuseContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
