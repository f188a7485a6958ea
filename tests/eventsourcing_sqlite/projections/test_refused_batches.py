"""Batches that their handlers try to end, or that SQLite undoes."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ProjectionError
from eventsourcing_core.stores import BatchRefusedError, OutageError
from tests.eventsourcing_sqlite._files import query
from tests.eventsourcing_sqlite.projections._builds import (
    BALANCES,
    at,
    batch_to,
    opened,
    register,
    segments_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from eventsourcing_sqlite._projections.store import SqliteProjectionStore

BUILD = BALANCES.build
INSERT = "insert into balance values (?, ?)"
ENDS: dict[str, Callable[[Any], Awaitable[object]]] = {
    "commit": lambda connection: connection.commit(),
    "rollback": lambda connection: connection.rollback(),
    "executescript": lambda connection: connection.executescript("select 1"),
    "COMMIT": lambda connection: connection.execute("/* now */ COMMIT"),
    "END": lambda connection: connection.execute("end"),
    "ROLLBACK": lambda connection: connection.execute("ROLLBACK"),
    "BEGIN": lambda connection: connection.execute("BEGIN"),
}


def balances_in(path: Path) -> list[tuple[object, ...]]:
    file = path.with_name(f"{path.name}.balances-v1")
    return query(file, "select account, cents from balance order by account")


async def write(
    store: SqliteProjectionStore,
    between: Callable[[Any], Awaitable[object]],
    *,
    is_in_savepoint: bool,
    to: int = 5,
) -> None:
    """Do something in a batch, between two inserts."""
    segments = await segments_of(store, BUILD)
    async with batch_to(store, segments, to, BUILD) as batch:
        await batch.connection.execute(INSERT, (f"a{to}", 1))
        if is_in_savepoint:
            async with batch.savepoint():
                await between(batch.connection)
        else:
            await between(batch.connection)
        await batch.connection.execute(INSERT, (f"b{to}", 1))


async def nothing(connection: Any) -> None:
    """Do nothing."""


@pytest.mark.parametrize("is_in_savepoint", [True, False])
@pytest.mark.parametrize("end", ENDS)
async def test_only_the_store_ends_a_batch(path: Path, end: str, *, is_in_savepoint: bool) -> None:
    async with opened(path) as store:
        await register(store, BALANCES)
        await write(store, nothing, is_in_savepoint=False, to=1)  # the driver knows a COMMIT
        with pytest.raises(ProjectionError, match="leave that to the projector"):
            await write(store, ENDS[end], is_in_savepoint=is_in_savepoint)
        assert {each.progress for each in await segments_of(store, BUILD)} == {at(1)}
    assert balances_in(path) == [("a1", 1), ("b1", 1)]


@pytest.mark.parametrize("end", ENDS)
async def test_who_swallows_the_refusal_has_done_no_harm(path: Path, end: str) -> None:
    async def try_to_end(connection: Any) -> None:
        with suppress(sqlite3.Error):
            await ENDS[end](connection)

    async with opened(path) as store:
        await register(store, BALANCES)
        await write(store, try_to_end, is_in_savepoint=False)
        assert {each.progress for each in await segments_of(store, BUILD)} == {at(5)}
    assert balances_in(path) == [("a5", 1), ("b5", 1)]


async def test_a_handler_may_use_savepoints(path: Path) -> None:
    async def use(connection: Any) -> None:
        for statement in ("savepoint mine", "rollback to mine", "release mine"):
            await connection.execute(statement)

    async with opened(path) as store:
        await register(store, BALANCES)
        await write(store, use, is_in_savepoint=True)
    assert balances_in(path) == [("a5", 1), ("b5", 1)]


@pytest.mark.parametrize("is_in_savepoint", [True, False])
async def test_a_batch_that_sqlite_undoes_is_refused(path: Path, *, is_in_savepoint: bool) -> None:
    async def break_rule(connection: Any) -> None:
        await connection.execute("insert or rollback into balance values ('a5', 1)")

    async with opened(path) as store:
        await register(store, BALANCES)
        with pytest.raises(BatchRefusedError, match="ON CONFLICT ROLLBACK|not open") as caught:
            await write(store, break_rule, is_in_savepoint=is_in_savepoint)
        assert not isinstance(caught.value, OutageError)
        assert {each.progress.position for each in await segments_of(store, BUILD)} == {0}
    assert balances_in(path) == []
