"""Writing appends: batches of them in one statement, and imports each in a transaction of its own.

A batch is one call of a function of the server, which leaves out what does not fit: no round trip
looks first. Only what was left out is judged, by the rule of the core. A batch that meets a stream
which somebody else holds is tried once more without those streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import DuplicateEventError, InlineMismatchError
from eventsourcing_core.stores import OutageError, StorageError, StreamHeldError, Written
from eventsourcing_postgres._batches import is_open, write_known, write_run
from eventsourcing_postgres._boundaries._runs import runs_of
from eventsourcing_postgres._errors import is_duplicate, is_passing
from eventsourcing_postgres._imports import doing_of, write_import
from eventsourcing_postgres._inline import applied
from eventsourcing_postgres._standbys import Standbys
from eventsourcing_postgres._terms import IMPATIENT, PATIENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from eventsourcing_core.stores import Append, Verdict
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._inline import PostgresInline, Work
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._terms import Terms

_ATTEMPTS = 5
_WARY = 100
"""For how many batches after a repetition the store is asked before it is written to."""


class Writer:
    """Writes appends, each batch on one connection.

    Args:
        database: Where to.
        on_written: Called when something was written.
        inline: What is applied in the same transactions.
    """

    def __init__(
        self, database: Database, on_written: Callable[[], None], inline: PostgresInline
    ) -> None:
        self._database = database
        self._schema = database.schema
        self._on_written = on_written
        self._inline = inline
        self._standbys = Standbys()
        self._wary = 0  # for so many batches
        self._is_trusting = True  # the last import had new events only

    async def write_mixed(self, appends: Sequence[Append]) -> list[Verdict]:
        """Write appends of all kinds, one run of them after the other."""
        verdicts: list[Verdict] = []
        held: dict[str, StreamHeldError] = {}
        for run in runs_of(appends):
            verdicts += await self._settle(run, held)
        return verdicts

    async def _settle(
        self, batch: Sequence[Append], held: dict[str, StreamHeldError]
    ) -> list[Verdict]:
        """Write a batch between others, which its failure does not concern.

        Args:
            batch: Appends that go together, or one import.
            held: The streams that nothing more may be written to; those found here are added.
        """
        blocked = [next((held[key] for key in each.keys if key in held), None) for each in batch]
        free = [each for each, error in zip(batch, blocked, strict=True) if error is None]
        try:
            written = iter(await self._write_alike(free))
        except StorageError as error:
            if len(free) > 1 and not isinstance(error, OutageError):
                return [one for each in batch for one in await self._settle([each], held)]
            written = iter([error] * len(free))

        verdicts = [next(written) if error is None else error for error in blocked]
        for append, verdict in zip(batch, verdicts, strict=True):
            if isinstance(verdict, StreamHeldError):
                held.update(dict.fromkeys(append.keys, verdict))
        return verdicts

    async def _write_alike(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if not appends:
            return []
        if appends[0].imported is None:
            return await self.write_batch(appends)
        return [await self._write_import(appends[0])]

    async def _write_import(self, append: Append) -> Verdict:
        """Write an import in a transaction of its own."""
        doing = doing_of(append)
        for attempt in range(1, _ATTEMPTS + 1):
            is_trusted = attempt == 1 and self._is_trusting
            try:
                (verdict,) = await self._database.use(
                    doing,
                    self._commit,
                    self._imported,
                    [append],
                    PATIENT._replace(is_trusted=is_trusted),
                )
            except StreamHeldError as error:
                if not is_trusted:
                    return error
                self._is_trusting = False
            except InlineMismatchError as error:
                if attempt == _ATTEMPTS:
                    raise
                self._inline.adapt(error)
            except StorageError as error:
                # An id that was not there a moment ago is found, and judged, by the next attempt.
                if attempt == _ATTEMPTS or not (is_passing(error) or is_duplicate(error)):
                    raise
                self._is_trusting = False
            else:
                if isinstance(verdict, Written):
                    self._is_trusting = verdict.count == len(append.imported or ())
                self._tell([verdict])
                return verdict
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def write_batch(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends that go together in one transaction of one statement.

        An event id that is stored already ends the statement. Whoever gets messages twice has many
        of those: so for a while the store is asked first.
        """
        verdicts: Sequence[Verdict]
        is_wary = self._wary > 0 and len(appends) > 1 and any(map(is_open, appends))
        terms = PATIENT
        for attempt in range(1, _ATTEMPTS + 1):
            write = self._known if is_wary else self._batch
            try:
                verdicts = await self._database.use("append", self._commit, write, appends, terms)
            except StreamHeldError as error:
                if len(appends) > 1:
                    if attempt == _ATTEMPTS or terms is IMPATIENT:  # the tables are locked
                        raise
                    terms = IMPATIENT  # what goes to streams that nobody holds is written
                    continue
                verdicts = [error]
            except InlineMismatchError as error:
                if attempt == _ATTEMPTS:
                    raise
                self._inline.adapt(error)
                continue
            except StorageError as error:
                if attempt == _ATTEMPTS or not (is_passing(error) or is_duplicate(error)):
                    raise
                is_wary = is_wary or is_duplicate(error)
                continue
            if is_wary:
                self._note_repetitions(verdicts)
            self._tell(verdicts)
            return verdicts
        raise AssertionError  # pragma: no cover - the loop returns or raises

    # These give what is to be awaited, since a coroutine of their own would cost each append more.

    def _commit(
        self, connection: Connection, work: Work, appends: Sequence[Append], terms: Terms
    ) -> Awaitable[Sequence[Verdict]]:
        """Write appends in a transaction, and apply them in it to what is inline."""
        builds = self._inline.active
        confirmed = self._standbys.confirmed
        if not builds:
            return confirmed(connection, self._database.isolated, work, appends, terms)
        terms = terms._replace(applies=applied(builds))
        return confirmed(connection, self._inline.commit, builds, work, appends, terms)

    def _batch(
        self, connection: Connection, appends: Sequence[Append], terms: Terms
    ) -> Awaitable[list[Verdict]]:
        return write_run(connection, appends, self._schema, self._standbys, terms)

    def _known(
        self, connection: Connection, appends: Sequence[Append], terms: Terms
    ) -> Awaitable[list[Verdict]]:
        return write_known(connection, appends, self._schema, self._standbys, terms)

    async def _imported(
        self, connection: Connection, appends: Sequence[Append], terms: Terms
    ) -> list[Verdict]:
        (append,) = appends
        return [await write_import(connection, append, self._schema, self._standbys, terms)]

    def _note_repetitions(self, verdicts: Sequence[Verdict]) -> None:
        """Note whether any event id was there already; a conflict of versions is no such case."""
        was_known = any(
            not verdict.count
            if isinstance(verdict, Written)
            else isinstance(verdict, DuplicateEventError)
            for verdict in verdicts
        )
        self._wary = _WARY if was_known else max(self._wary - 1, 0)

    def _tell(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if isinstance(verdict, Written):
                self._on_written()
                return
