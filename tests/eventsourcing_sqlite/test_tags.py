"""Tags in the file: where they stand, and what it costs to find events by them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    BoundaryError,
    Event,
    ExpectedVersion,
    Query,
    ToStream,
    open_backend,
    open_migrator,
)
from eventsourcing_core.stores import QueryItem, RowQuery
from eventsourcing_sqlite._storage import SqliteStorage
from tests.eventsourcing_sqlite._files import query
from tests.eventsourcing_sqlite._trace import traced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from eventsourcing_core import RecordedEvent
    from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore

ANY = ExpectedVersion.ANY
STRANGE = frozenset({"a,b", '"quoted"', "it's", "%_", "[1]", "Zoë 漢 🎉", "\\u0041", "{}", "null"})


def counted(number: int, *tags: str) -> Event[object]:
    return Event("Counted", {"number": number}, tags=tags)


async def positions(events: AsyncIterator[RecordedEvent[Any]]) -> list[int]:
    return [event.position async for event in events]


async def fill(store: SqliteEventStore, count: int, rare: Iterable[int]) -> None:
    """Append events of a tag that all have; and of one that those at some positions have."""
    chosen = {*rare}
    events = [
        counted(n, *(["often", "rare"] if n in chosen else ["often"])) for n in range(1, count + 1)
    ]
    await store.append("doc-1", events, expected_version=0)


async def test_a_tag_is_in_the_row_and_in_the_index(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    events = [counted(1), counted(2, "b", "a"), counted(3, "a")]
    await store.append("doc-1", events, expected_version=0)
    assert query(database.path, "select position, tags from events") == [
        (1, None),
        (2, '["a","b"]'),
        (3, '["a"]'),
    ]
    assert query(database.path, "select tag, position from event_tags order by 1, 2") == [
        ("a", 2),
        ("a", 3),
        ("b", 2),
    ]


async def test_a_store_without_tags_pays_nothing(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    async with traced(database) as trace:
        await store.append("doc-1", [counted(1), counted(2)], expected_version=0)
    assert [sql for sql in trace.statements if "EVENT_TAGS" in sql] == []
    assert query(database.path, "select count(*) from event_tags") == [(0,)]


async def test_strange_tags_come_back_and_are_found(store: SqliteEventStore) -> None:
    await store.append("doc-1", [counted(1, *STRANGE), counted(2, "other")], expected_version=0)
    assert [event.tags async for event in store.read("doc-1")] == [STRANGE, {"other"}]
    for tag in STRANGE:
        assert await positions(store.read_all(query=Query(tags={tag}))) == [1]
    assert await positions(store.read_all(query=Query(tags=STRANGE))) == [1]
    assert await positions(store.read_all(query=Query(tags={*STRANGE, "other"}))) == []


async def test_events_that_were_deleted_by_hand_are_not_found(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await store.append("doc-1", [counted(1, "a"), counted(2, "a")], expected_version=0)
    with closing(sqlite3.connect(database.path)) as connection:
        connection.executescript(
            "drop trigger events_are_not_deleted; delete from events where position = 1"
        )
    assert await positions(store.read_all(query=Query(tags={"a"}))) == [2]


class Steps:
    """How much SQLite does, in hundreds of its instructions."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return 0


async def steps_of_reading(database: SqliteDatabase, wanted: RowQuery) -> tuple[list[int], int]:
    """Read what matches; give its positions, and how much was done for it."""
    steps = Steps()
    reader: Any = database._reader
    await reader.set_progress_handler(steps, 100)
    pages = SqliteStorage(database).rows_of_all(0, wanted, backward=False, limit=None)
    found = [row.position async for page in pages for row in page.rows]
    await reader.set_progress_handler(None, 100)
    return found, steps.count


@pytest.mark.parametrize("tags", [{"rare"}, {"rare", "often"}])
async def test_the_rarest_tag_says_how_long_it_takes(
    database: SqliteDatabase, store: SqliteEventStore, tags: set[str]
) -> None:
    await fill(store, 20_000, [7, 9_000, 19_999])
    wanted = RowQuery(items=(QueryItem(frozenset(tags)),))
    found, steps = await steps_of_reading(database, wanted)
    assert found == [7, 9_000, 19_999]
    assert steps < 100  # a look at each event would be a thousand and more


async def test_many_events_of_a_tag_are_read_by_the_page(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 20_000, [])
    everything = await steps_of_reading(database, RowQuery(event_types=frozenset({"Counted"})))
    tagged = await steps_of_reading(database, RowQuery(items=(QueryItem(frozenset({"often"})),)))
    assert tagged[0] == everything[0] == [*range(1, 20_001)]
    assert tagged[1] < 4 * everything[1]


async def test_a_condition_that_is_up_to_date_asks_nothing_about_events(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 50, [7])
    view = await store.read_matching(Query(tags={"rare"}))
    async with traced(database) as trace:
        await store.append_together(
            [ToStream("doc-2", [counted(1, "rare")], expected_version=0)],
            unless_changed=view.marker,
        )
    assert [sql for sql in trace.statements if "STEPS" in sql] == []
    assert trace.errands == 1


async def test_a_condition_on_a_far_past_looks_only_for_the_first_events(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    view = await store.read_matching(Query(event_types=["Counted"]) | Query(tags={"often"}))
    await fill(store, 30_000, [])
    steps = Steps()
    writer: Any = database._writer
    await writer.set_progress_handler(steps, 100)
    group = [ToStream("doc-2", [counted(1)], expected_version=0)]
    with pytest.raises(BoundaryError) as refusal:
        await store.append_together(group, unless_changed=view.marker)
    await writer.set_progress_handler(None, 100)
    assert [event.position for event in refusal.value.events] == [*range(1, 101)]
    assert steps.count < 1_500  # a look at each event would be ten thousand and more


async def test_tags_that_rows_had_before_are_found_after_the_migration(path: Path) -> None:
    url = f"sqlite:///{path}"
    async with open_backend(url) as backend:
        await backend.event_store.append("doc-1", [counted(1), counted(2)], expected_version=0)
    async with open_migrator(url) as migrator:
        await migrator.rollback(to=5)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "drop trigger events_are_not_updated;"
            """update events set tags = '["a", "b"]' where position = 2"""
        )
    async with open_backend(url) as backend:
        store = backend.event_store
        assert [event.tags async for event in store.read("doc-1")] == [set(), {"a", "b"}]
        assert await positions(store.read_all(query=Query(tags={"a", "b"}))) == [2]


async def test_tags_are_found_again_when_the_migration_was_taken_back(path: Path) -> None:
    url = f"sqlite:///{path}"
    async with open_backend(url) as backend:
        await backend.event_store.append("doc-1", [counted(1, "a")], expected_version=0)
    async with open_migrator(url) as migrator:
        await migrator.rollback(to=5)
        await migrator.migrate()
    async with open_backend(url) as backend:
        assert await positions(backend.event_store.read_all(query=Query(tags={"a"}))) == [1]


async def test_a_transaction_that_is_given_up_leaves_no_tag(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    class GivenUpError(Exception): ...

    async def give_up() -> None:
        async with store.transaction() as transaction:
            await transaction.append("doc-1", [counted(1, "a")], expected_version=ANY)
            raise GivenUpError

    with pytest.raises(GivenUpError):
        await give_up()
    assert query(database.path, "select count(*) from event_tags") == [(0,)]
