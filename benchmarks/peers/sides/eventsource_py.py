"""eventsource-py, with its PostgreSQL store on SQLAlchemy's asyncio.

Set up as its guide https://tyevans.github.io/eventsource-py/guides/production/ says, but without
``pool_pre_ping``, which would cost it a round trip per append. Its live subscriptions need a
message bus between processes, so there is nothing to measure as the latency of a reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from eventsource import AggregateRepository, AggregateRoot, DomainEvent, StreamId, register_event
from eventsource.adapters.postgresql.snapshots import PostgreSQLSnapshotStore
from eventsource.adapters.postgresql.store import PostgreSQLEventStore
from eventsource.domain.exceptions import OptimisticLockError
from eventsource.migrations import get_schema
from eventsource.ports import ExpectedVersion, FeedReadOptions
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from benchmarks.peers.payload import CURRENCY, MEMO, OWNER
from benchmarks.peers.side import Conflict

if TYPE_CHECKING:
    from typing import Any

    from eventsource.ports import Position

CATEGORY = "Account"
PAGE_SIZE = 5_000  # without a limit it fetches all events at once, which a large store cannot bear
# Rows that the library would have written, made by the server itself.
FILL = """
insert into events (
    event_id, event_type, aggregate_type, aggregate_id, version, timestamp, payload, created_at
)
select
    gen_random_uuid(), 'Deposited', 'Account', stream, version, now(),
    cast(:payload as jsonb), now()
from (select gen_random_uuid() as stream from generate_series(1, :streams) offset 0) as made,
    generate_series(1, 100) as version
"""


@register_event
class Deposited(DomainEvent):
    """A typed event."""

    event_type: str = "Deposited"
    aggregate_type: str = CATEGORY
    owner: str
    amount: int
    currency: str
    memo: str


class State(BaseModel):
    """What an account holds."""

    balance: int = 0


class Account(AggregateRoot[State]):
    """Rebuilt from deposits."""

    aggregate_type = CATEGORY

    def _get_initial_state(self) -> State:
        return State()

    def _apply(self, event: DomainEvent) -> None:
        match event:
            case Deposited():
                balance = self._state.balance if self._state else 0
                self._state = State(balance=balance + event.amount)
            case _:
                pass


class EventsourcePy:
    """The store and the repository."""

    def __init__(self, url: str, connections: int) -> None:
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://"),
            pool_size=connections,
            max_overflow=0,
        )
        self._store = PostgreSQLEventStore(self._engine, owns_engine=True)
        self._accounts = AggregateRepository(self._store, Account, CATEGORY)
        self._snapshots = AggregateRepository(
            self._store,
            Account,
            CATEGORY,
            snapshot_store=PostgreSQLSnapshotStore(
                async_sessionmaker(self._engine, expire_on_commit=False)
            ),
            snapshot_mode="manual",
        )

    async def open(self) -> None:
        async with self._engine.begin() as connection:
            found = await connection.scalar(text("select to_regclass('events') is null"))
            if found:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.execute(get_schema("events"))
                await driver.execute(get_schema("snapshots"))

    async def close(self) -> None:
        await self._store.close()

    async def append(self, stream: UUID, at: int, count: int) -> int:
        events = [deposited(stream, version) for version in range(at + 1, at + count + 1)]
        expected = ExpectedVersion.exact(at) if at else ExpectedVersion.no_stream()
        try:
            result = await self._store.append(StreamId(stream, CATEGORY), events, expected)
        except OptimisticLockError as error:
            raise Conflict from error
        return result.new_version

    async def last(self, stream: UUID) -> int:
        return await self._store.get_stream_version(StreamId(stream, CATEGORY))

    async def bulk(self, count: int) -> None:
        await self.append(uuid4(), 0, count)

    async def seed(self, count: int) -> str:
        key = uuid4()
        await self.append(key, 0, count)
        return str(key)

    async def load(self, key: str) -> int:
        account = await self._accounts.load(UUID(key))
        return account.state.balance if account.state else 0

    async def take_snapshot(self, key: str) -> None:
        await self._snapshots.create_snapshot(await self._snapshots.load(UUID(key)))

    async def load_snapshot(self, key: str) -> int:
        account = await self._snapshots.load(UUID(key))
        return account.state.balance if account.state else 0

    async def fill(self, count: int) -> None:
        payload = deposited(uuid4(), 1).model_dump_json()
        async with self._engine.begin() as connection:
            there = await connection.scalar(text("select count(*) from events"))
            await connection.execute(
                text(FILL), {"payload": payload, "streams": max(0, count - (there or 0)) // 100}
            )
        async with self._engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(text("vacuum analyze"))

    async def read_all(self, limit: int) -> int:
        seen = 0
        after: Position | None = None
        while seen < limit:
            found = 0
            options = FeedReadOptions(limit=min(PAGE_SIZE, limit - seen))
            async for envelope in self._store.read_all(after, options):
                found += 1
                after = envelope.position
            if not found:
                break
            seen += found
        return seen

    async def page(self, after: int, limit: int) -> tuple[int, int]:
        seen = 0
        position = self._position(after)
        async for envelope in self._store.read_all(position, FeedReadOptions(limit=limit)):
            seen += 1
            position = envelope.position
        return seen, self._number(position) if position else after

    async def end(self) -> int:
        position = await self._store.current_position()
        return self._number(position) if position else 0

    def _position(self, number: int) -> Position | None:
        return self._store._codec.encode(number) if number else None  # noqa: SLF001 - see _number

    def _number(self, position: Position) -> int:
        # A position hides its number, which is what the harness counts in.
        return self._store._codec.value_of(position)  # noqa: SLF001 - as said


def deposited(stream: UUID, version: int) -> Deposited:
    """Make an event as the aggregate would."""
    return Deposited(
        aggregate_id=stream,
        aggregate_version=version,
        owner=OWNER,
        amount=1,
        currency=CURRENCY,
        memo=MEMO,
    )
