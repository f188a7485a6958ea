"""eventsourcing, with its PostgreSQL module, which blocks.

Set up as https://eventsourcing.readthedocs.io/en/stable/topics/persistence.html#postgresql says,
with psycopg's C implementation. What an application adds above the event store (collecting events,
notifying) is left away when appending. Its database functions are off unless
``POSTGRES_ENABLE_DB_FUNCTIONS`` is set: both are measured.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, datetime_now_with_tzinfo, event
from eventsourcing.persistence import IntegrityError

from benchmarks.peers.payload import CURRENCY, MEMO, OWNER
from benchmarks.peers.side import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Rows that the library would have written, made by the server itself.
FILL = """
insert into {name}_events (originator_id, originator_version, topic, state)
select stream, version, %s, %s
from (select gen_random_uuid() as stream from generate_series(1, %s) offset 0) as made,
    generate_series(1, 100) as version
"""
PAGE_SIZE = 5_000  # favours it: its own readers take 10 or 500


class Account(Aggregate):
    """Rebuilt from deposits."""

    def __init__(self) -> None:
        self.balance = 0

    @event("Deposited")
    def deposit(self, owner: str, amount: int, currency: str, memo: str) -> None:  # noqa: ARG002 - they make the event
        """Add."""
        self.balance += amount


class Bank(Application[UUID]):
    """An application with snapshots on demand."""

    name = "Bank"
    is_snapshotting_enabled = True


class Unsnapshotted(Application[UUID]):
    """An application without snapshots, so that loading does not look for one."""

    name = "Bank"


class Default:
    """With the settings that it has unless told otherwise."""

    functions = "n"

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        self.environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path.lstrip("/"),
            "POSTGRES_HOST": parts.hostname or "",
            "POSTGRES_PORT": str(parts.port),
            "POSTGRES_USER": parts.username or "",
            "POSTGRES_PASSWORD": parts.password or "",
            "POSTGRES_POOL_SIZE": str(connections),
            "POSTGRES_MAX_OVERFLOW": "0",
            "POSTGRES_ENABLE_DB_FUNCTIONS": self.functions,
        }
        self._snapshotted: Bank | None = None

    def open(self) -> None:
        self._app = Unsnapshotted(self.environment)
        self._recorder: Any = self._app.recorder

    def close(self) -> None:
        if self._snapshotted is not None:
            self._snapshotted.close()
        self._app.close()

    def append(self, stream: UUID, at: int, count: int) -> int:
        try:
            self._app.events.put(list(deposits(stream, at, count)))
        except IntegrityError as error:
            raise Conflict from error
        return at + count

    def last(self, stream: UUID) -> int:
        found = self._recorder.select_events(stream, desc=True, limit=1)
        return found[0].originator_version if found else 0

    def bulk(self, count: int) -> None:
        self.append(uuid4(), 0, count)

    def seed(self, count: int) -> str:
        account = Account()
        for _ in range(count - 1):  # its creation is the first event
            account.deposit(OWNER, 1, CURRENCY, MEMO)
        self._app.save(account)
        return str(account.id)

    def load(self, key: str) -> int:
        account: Account = self._app.repository.get(UUID(key))
        return account.balance + 1

    def take_snapshot(self, key: str) -> None:
        self._bank().take_snapshot(UUID(key))

    def load_snapshot(self, key: str) -> int:
        account: Account = self._bank().repository.get(UUID(key))
        return account.balance + 1

    def fill(self, count: int) -> None:
        (made,) = deposits(uuid4(), 0, 1)
        stored = self._app.mapper.to_stored_event(made)
        table = self._recorder.events_table_name
        with self._recorder.datastore.get_connection() as connection:
            (there,) = connection.execute(f"select count(*) from {table}").fetchone().values()  # noqa: S608 - its own table
            connection.execute(
                FILL.replace("{name}_events", table),
                (stored.topic, stored.state, max(0, count - there) // 100),
            )
            connection.execute("vacuum analyze")

    def read_all(self, limit: int) -> int:
        seen = after = 0
        while seen < limit:
            count, after = self.page(after, min(PAGE_SIZE, limit - seen))
            if not count:
                break
            seen += count
        return seen

    def page(self, after: int, limit: int) -> tuple[int, int]:
        found = self._recorder.select_notifications(after, limit, inclusive_of_start=False)
        for notification in found:
            self._app.mapper.to_domain_event(notification)
        return len(found), found[-1].id if found else after

    def end(self) -> int:
        return self._recorder.max_notification_id() or 0

    def follow(self, count: int, ready: Callable[[], None]) -> list[int]:
        arrived: list[int] = []
        with self._recorder.subscribe(gt=self.end()) as subscription:
            time.sleep(1)  # its thread listens by then; it does not tell
            ready()
            for _ in subscription:
                arrived.append(time.monotonic_ns())
                if len(arrived) == count:
                    break
        return arrived

    def _bank(self) -> Bank:
        if self._snapshotted is None:
            self._snapshotted = Bank({**self.environment, "IS_SNAPSHOTTING_ENABLED": "y"})
        return self._snapshotted


class Functions(Default):
    """With one server function for an append, in place of a transaction that locks the table."""

    functions = "y"


def deposits(stream: UUID, at: int, count: int) -> Iterable[Any]:
    """Make events as the aggregate would."""
    made: Any = Account
    for version in range(at + 1, at + count + 1):
        yield made.Deposited(
            originator_id=stream,
            originator_version=version,
            timestamp=datetime_now_with_tzinfo(),
            owner=OWNER,
            amount=1,
            currency=CURRENCY,
            memo=MEMO,
        )
