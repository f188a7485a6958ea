"""The ways in which events are stored: functions that can be repeated, and store them once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from eventsourcing_core import Event, Query, RecordedEvent, ToStream
from eventsourcing_core.stores import Append
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.failover._aggregate import Inn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import Backend
    from eventsourcing_core.stores import Write

Way = Callable[[], Awaitable[object]]
"""Stores the same events each time; gives anything if they are confirmed, and else raises."""


def some(count: int = 1) -> list[Event[object]]:
    return [Event("Placed", {}) for _ in range(count)]


def lone_append(backend: Backend, name: str) -> Way:
    events = some()
    return lambda: backend.event_store.append(name, events, expected_version=0)


def append_of_several_events(backend: Backend, name: str) -> Way:
    events = some(3)
    return lambda: backend.event_store.append(name, events, expected_version=0)


def to(backend: Backend, stream_id: str, expected: int = 0) -> Write:
    return backend.codec.encode_append(stream_id, some(), expected).writes[0]


def written(backend: Backend, appends: Sequence[Append]) -> Way:
    """Write appends in one call; the first of them tells."""

    async def write() -> object:
        verdicts = await storage_of(backend.event_store).write(appends)
        if isinstance(verdicts[0], Exception):
            raise verdicts[0]
        return verdicts[0]

    return write


def batch(backend: Backend, name: str) -> Way:
    appends = [Append((to(backend, f"{name}-{number}"),), 2) for number in range(3)]
    return written(backend, appends)


def batch_with_a_conflict(backend: Backend, name: str) -> Way:
    appends = [Append((to(backend, f"{name}-{number}", number),), 2) for number in range(2)]
    return written(backend, appends)


def group(backend: Backend, name: str) -> Way:
    writes = tuple(to(backend, f"{name}-{number}") for number in range(2))
    return written(backend, [Append(writes, 4)])


def append_with_a_condition(backend: Backend, name: str) -> Way:
    store = backend.event_store
    write = ToStream(name, some(), expected_version=0, tags={name})

    async def append() -> object:
        # What it finds the second time is its own event, which comes before any condition.
        marker = (await store.read_matching(Query(tags={name}))).marker
        return await store.append_together([write], unless_changed=marker)

    return append


def import_of_events(backend: Backend, name: str) -> Way:
    events: list[RecordedEvent[object]] = [
        RecordedEvent("Placed", {}, stream_id=f"{name}-{number}", version=1, position=1)
        for number in range(2)
    ]
    return lambda: backend.event_store.import_events(events)


def append_in_a_transaction(backend: Backend, name: str) -> Way:
    events = some()

    async def store() -> object:
        async with backend.transaction() as transaction:
            return await transaction.append(name, events, expected_version=0)

    return store


def append_in_a_transaction_of_the_callers(backend: Backend, name: str) -> Way:
    events = some()
    store, pool = backend.event_store, storage_of(backend.event_store)._database.pool

    async def append() -> object:
        async with pool.acquire() as connection, connection.transaction():
            return await store.append(name, events, expected_version=0, connection=connection)

    return append


def save(backend: Backend, name: str) -> Way:
    repository, inn = backend.repository(Inn), Inn(name)
    inn.open_once()
    return lambda: repository.save(inn)


def save_in_a_transaction(backend: Backend, name: str) -> Way:
    repository, inn = backend.repository(Inn), Inn(name)
    inn.open_once()

    async def store() -> object:
        async with backend.transaction() as transaction:
            return await repository.save(inn, transaction=transaction)

    return store


def command_that_refuses(backend: Backend, name: str) -> Way:
    repository = backend.repository(Inn)
    return lambda: repository.update(name, Inn.open_once, command_id="1")


def command_that_does_nothing(backend: Backend, name: str) -> Way:
    repository = backend.repository(Inn)
    return lambda: repository.update(name, Inn.open_if_closed, command_id="1")


def command_that_records_again(backend: Backend, name: str) -> Way:
    repository = backend.repository(Inn)
    return lambda: repository.update(name, Inn.open_again, command_id="1")


WAYS = (
    lone_append,
    append_of_several_events,
    batch,
    batch_with_a_conflict,
    group,
    append_with_a_condition,
    import_of_events,
    append_in_a_transaction,
    append_in_a_transaction_of_the_callers,
    save,
    save_in_a_transaction,
    command_that_refuses,
    command_that_does_nothing,
    command_that_records_again,
)
