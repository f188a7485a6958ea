"""What the contract of snapshot stores cannot see: how a snapshot gets into PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core.stores import Snapshot
from eventsourcing_postgres import PostgresSnapshotStore

if TYPE_CHECKING:
    from asyncpg.connection import LoggedQuery


async def test_saving_and_pruning_is_one_statement_and_one_round_trip(url: str) -> None:
    asked: list[str] = []

    def note(query: LoggedQuery) -> None:
        asked.append(query.query)

    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        store = PostgresSnapshotStore(pool)
        for version in (1, 2, 3):
            taken = datetime(2026, 1, 1, tzinfo=UTC)
            async with pool.acquire() as connection:
                connection.add_query_logger(note)
            await store.save(Snapshot("a", version, b"", "json", "1", taken), keep=2)
        rows = await pool.fetch("select version from eventsourcing.snapshots order by version")
        store.close()
    assert [row["version"] for row in rows] == [2, 3]
    assert len([query for query in asked if "snapshots" in query]) == 3 + 1  # and the last one
    assert not [query for query in asked if query.strip().lower().startswith("begin")]
