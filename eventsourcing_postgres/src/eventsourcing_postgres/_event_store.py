"""The event store on a pool of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import StorageEventStore
from eventsourcing_postgres._storage import PostgresStorage

if TYPE_CHECKING:
    import asyncpg

    from eventsourcing_core import EventCodec
    from eventsourcing_core.plugins import Serializer


class PostgresEventStore(StorageEventStore):
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
        answer_timeout: Seconds to wait for the server's answer to a statement, but for imports and
            ``statistics``; then the connection is ended, and the others of the pool are renewed.
        poll_interval: Seconds between two looks of a waiting reader, where no notification comes.
        listen: Whether waiting readers keep one connection of the pool to be notified on, which all
            stores on the pool share; without it (behind a transaction pooler) they only poll.
        max_wait: Seconds that an append or an import waits for a stream to which somebody's open
            transaction has appended; its neighbours do not wait.

    The first use raises a ``SchemaError`` if the schema is missing or of another version, was
    renamed, or has a sequence that is behind its events.
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
        self._postgres = PostgresStorage(
            pool,
            schema=schema,
            acquire_timeout=acquire_timeout,
            answer_timeout=answer_timeout,
            poll_interval=poll_interval,
            listen=listen,
            max_wait=max_wait,
        )
        super().__init__(self._postgres.parts(), codec, serializer=serializer)

    async def close(self) -> None:
        """Write what is waiting, and refuse more; the pool stays open.

        Whoever reads or waits gets a ``StorageError`` when it asks for more. A server that answers
        nothing is waited for as long as ``answer_timeout`` says, where an append is under way, and
        else at most ``acquire_timeout`` seconds.
        """
        await super().close()
        await self._postgres.close()
