"""The event store in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    Appender,
    AppendQueue,
    AppendResult,
    EventCodec,
    EventSourcingError,
    Place,
    StorageError,
    check_read,
    check_read_all,
    check_streams,
    check_wait,
)
from eventsourcing_postgres._arguments import arguments, event_ids, one_event
from eventsourcing_postgres._checks import check_connection, check_seconds
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._errors import (
    HELD,
    BusyStreamError,
    is_duplicate,
    is_held,
    is_outage,
    is_passing,
    translated,
)
from eventsourcing_postgres._horizon import AllReader
from eventsourcing_postgres._import import write_import
from eventsourcing_postgres._inspection import statistics_of, streams_in
from eventsourcing_postgres._pages import stream_pages
from eventsourcing_postgres._statements import LARGEST_INTEGER, statement
from eventsourcing_postgres._waking import Waking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
    from typing import Self

    import asyncpg

    from eventsourcing_core import (
        Append,
        Event,
        ExpectedVersion,
        RecordedEvent,
        Serializer,
        StoreStatistics,
        StreamInfo,
    )
    from eventsourcing_postgres._database import Connection

_ATTEMPTS = 5
_PATIENCE = "100ms"  # for how long a commit waits for a stream that somebody holds,
_IMPATIENCE = "2ms"  # and when it is known that somebody does
_WRITES = 2  # batches under way: the server works on one while the next is prepared


class PostgresEventStore:
    """Keeps events in PostgreSQL.

    ``open_backend("postgresql://…")`` makes one on a pool of its own. On a pool of the caller's,
    ``async with PostgresEventStore(pool) as store`` ends what it started when it is left, and
    leaves the pool open.

    Args:
        pool: An asyncpg pool.
        codec: What encodes the events.
        serializer: In place of a codec: a serializer or its name; JSON unless given.
        schema: The schema of the tables; ``migrate`` makes them.
        acquire_timeout: Seconds to wait for a free connection of the pool.
        answer_timeout: Seconds to wait for the server's answer to an append, or when waiting for
            events; then the connection is ended, and the others of the pool are renewed.
        poll_interval: Seconds between two looks of a waiting reader, where no notification comes.
        listen: Whether waiting readers keep one connection of the pool to be notified on; without
            it (behind a transaction pooler) they only poll.
        max_wait: Seconds that an append or an import waits for a stream to which somebody's open
            transaction has appended; its neighbours do not wait.
    """

    def __init__(  # noqa: PLR0913 - each is documented above, and all but the pool have defaults
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        codec: EventCodec | None = None,
        *,
        serializer: Serializer | str | None = None,
        schema: str = "eventsourcing",
        acquire_timeout: float = 30.0,
        answer_timeout: float = 60.0,
        poll_interval: float = 1.0,
        listen: bool = True,
        max_wait: float = 30.0,
    ) -> None:
        self._codec = EventCodec.given(codec, serializer)
        self._database = Database(
            pool, schema=schema, acquire_timeout=acquire_timeout, answer_timeout=answer_timeout
        )
        check_seconds("poll_interval", poll_interval)
        check_seconds("max_wait", max_wait, may_be_zero=True)
        self._max_wait = max_wait
        writes = min(_WRITES, pool.get_max_size())
        self._queue = AppendQueue(
            self._write,
            is_outage=is_outage,
            is_held=is_held,
            max_wait=max_wait,
            max_writes=writes,
            is_cancellable=True,
        )
        self._waking = Waking(self._database, poll_interval=poll_interval, listen=listen)

    async def append(
        self,
        stream_id: str,
        events: Sequence[Event[object]],
        *,
        expected_version: int | ExpectedVersion,
        connection: Connection | None = None,
    ) -> AppendResult:
        """Append events to a stream, all or none; see ``EventStore.append``.

        With ``connection`` the append is part of the transaction that is open on it: it is
        stored when that commits. Such appends do not share a commit with others, and are
        not in the order of other calls. Until then
        readers of all streams stop before it, and other appends to the stream wait (at most
        ``max_wait`` seconds), so keep such a transaction short.
        """
        append = self._codec.encode_append(stream_id, events, expected_version)
        self._database.check_usable()
        if connection is None:
            result = await self._queue.append(append)
            self._waking.appended()
            return result
        check_connection(connection)
        return await self._append_inside(connection, append)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as another store recorded them; see ``ImportingEventStore``.

        It is a transaction of its own. It waits for streams that others hold, at most ``max_wait``
        seconds; appends to its streams wait until it has ended.
        """
        imported = self._codec.encode_import(events)
        self._database.check_usable()
        if not imported.events:
            return 0
        count = await write_import(self._database, imported, max_wait=self._max_wait)
        if count:
            self._waking.appended()
        return count

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of one stream by version; see ``EventStore.read``."""
        bounds = (from_version, to_version)
        pages = self._pages(stream_id, bounds, limit=limit, backward=backward)
        return self._codec.decode_each(pages)

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Read a stream by the page; see ``PagedEventStore``."""
        return self._codec.decode_pages(self._pages(stream_id, (from_version, to_version)))

    def _pages(
        self,
        stream_id: str,
        bounds: tuple[int, int | None],
        *,
        limit: int | None = None,
        backward: bool = False,
    ) -> AsyncIterator[list[Any]]:
        first, last = bounds
        check_read(stream_id, from_version=first, to_version=last, limit=limit)
        self._database.check_usable()
        highest = LARGEST_INTEGER - 1
        return stream_pages(
            self._database,
            stream_id,
            first=min(first, highest),
            last=highest if last is None else min(last, highest),
            limit=limit,
            backward=backward,
        )

    def read_all(
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str] | None = None,
        stream_prefix: str | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of all streams by position; see ``EventStore.read_all``.

        An event that is committed while an earlier position is still in flight is delivered when
        that is decided; ``appenders`` tells who is at it.
        """
        check_read_all(
            after_position=after_position,
            limit=limit,
            event_types=event_types,
            stream_prefix=stream_prefix,
        )
        self._database.check_usable()
        reader = AllReader(
            self._database, event_types=event_types, stream_prefix=stream_prefix, limit=limit
        )
        pages = reader.backward(after_position) if backward else reader.forward(after_position)
        return self._codec.decode_each(pages)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there may be events after a position; see ``EventStore.wait``."""
        check_wait(after_position=after_position, timeout=timeout)
        self._database.check_usable()
        return await self._waking.wait(after_position, timeout)

    def streams(self, *, prefix: str | None = None) -> AsyncIterator[StreamInfo]:
        """Go through the streams by id; see ``InspectableEventStore``."""
        check_streams(prefix=prefix)
        self._database.check_usable()
        return streams_in(self._database, prefix or "")

    async def statistics(self) -> StoreStatistics:
        """Count what the store holds, in one pass over all events; see ``InspectableEventStore``.

        ``stored_bytes`` are those of the schema's tables with their indexes.
        """
        self._database.check_usable()
        return await statistics_of(self._database)

    async def appenders(self) -> list[Appender]:
        """List the transactions that append now; the first one holds the horizon back.

        The fields are those of ``pg_stat_activity``; what this user may not see is None. A prepared
        transaction has no process.
        """
        self._database.check_usable()
        rows = await self._database.fetch("appenders", "appenders")
        return [Appender(*row) for row in rows]

    async def close(self) -> None:
        """Write what is waiting, and refuse more; the pool stays open.

        Who reads or waits gets a ``StorageError`` when he asks for more. A server that answers
        nothing is waited for as long as ``answer_timeout`` says, where an append is under way, and
        else at most ``acquire_timeout`` seconds.
        """
        await self._queue.close()
        await self._waking.close()
        self._database.close()
        self._waking.wake()
        await self._database.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _write(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        """Write a batch in one transaction of one statement; the queue calls this."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._database.use("append", self._call, appends, _PATIENCE)
            except StorageError as error:
                if is_held(error) and len(appends) > 1:
                    return await self._database.use("append", self._call_free, appends)
                if is_duplicate(error) and len(appends) == 1:
                    return [await self._database.use("append", self._settled, appends[0])]
                if attempt == _ATTEMPTS or not is_passing(error):
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _call_free(
        self, connection: Connection, appends: Sequence[Append]
    ) -> list[AppendResult | Exception]:
        """Write what goes to streams that nobody holds; the others are busy."""
        return await self._call(connection, appends, _IMPATIENCE, skips_held=True)

    async def _call(
        self,
        connection: Connection,
        appends: Sequence[Append],
        patience: str | None,
        *,
        skips_held: bool = False,
    ) -> list[AppendResult | Exception]:
        if len(appends) == 1 and len(appends[0].events) == 1:
            sql = statement("append_one", self._database.schema)
            outcomes = [await connection.fetchval(sql, *one_event(appends[0]), patience)]
        else:
            sql = statement("append", self._database.schema)
            order = sorted(range(len(appends)), key=lambda index: appends[index].stream_id)
            arrays = arguments([appends[index] for index in order])
            rows = await connection.fetch(sql, *arrays, patience, skips_held)
            outcomes = [row for _, row in sorted(zip(order, rows, strict=True))]
        misfits = [
            (append, version)
            for append, (version, position) in zip(appends, outcomes, strict=True)
            if position is None
        ]
        judged = iter(await self._judge(connection, misfits) if misfits else ())
        return [
            next(judged) if position is None else AppendResult(version, position)
            for version, position in outcomes
        ]

    async def _judge(
        self, connection: Connection, misfits: Sequence[tuple[Append, int | None]]
    ) -> list[AppendResult | Exception]:
        """Judge what was not written: each is a repetition, or a conflict, or waits for another."""
        rows = await connection.fetch(
            statement("find_events", self._database.schema),
            event_ids(event for append, _ in misfits for event in append.events),
        )
        places = {row[0]: Place(row[1], row[2], row[3]) for row in rows}
        return [_judged(append, version, places) for append, version in misfits]

    async def _settled(self, connection: Connection, append: Append) -> AppendResult | Exception:
        """Judge an append whose event ids are in the store already."""
        version = await connection.fetchval(
            statement("stream_version", self._database.schema), append.stream_id
        )
        (verdict,) = await self._judge(connection, [(append, version or 0)])
        return verdict

    async def _append_inside(self, connection: Connection, append: Append) -> AppendResult:
        """Append in the caller's transaction, which stays usable whatever the verdict is."""
        with translated("append", self._database.schema):
            if connection.is_closed():
                message = "append failed: the connection is closed"
                raise StorageError(message)
            is_open = connection.is_in_transaction()
        if not is_open:
            message = "append(connection=…) needs an open transaction on that connection"
            raise ValueError(message)
        try:
            with translated("append", self._database.schema):
                async with connection.transaction():  # a savepoint
                    (verdict,) = await self._call(connection, [append], None)
        except StorageError as error:
            if not is_duplicate(error):
                raise
            with translated("append", self._database.schema):
                verdict = await self._settled(connection, append)
        if isinstance(verdict, Exception):
            raise verdict
        return verdict


def _judged(
    append: Append, version: int | None, places: Mapping[bytes, Place]
) -> AppendResult | Exception:
    if version is None:
        return BusyStreamError(HELD)
    try:
        settled = append.settle(version, places)
    except EventSourcingError as error:
        return error
    message = "append failed: another one to the same stream ended at the same moment: repeat it"
    return settled or BusyStreamError(message)
