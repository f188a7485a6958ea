"""Appends that the server ends for a reason that passes, or that is only their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, RecordedEvent, StorageError, open_backend
from eventsourcing_core.stores import OutageError
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres._databases import execute
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

AT_EACH_APPEND = """
    create sequence tries;
    create function at_append() returns trigger language plpgsql as $$ begin {body} end $$;
    create trigger at_append before insert on eventsourcing.events
        for each row execute function at_append()
"""


@pytest.mark.parametrize("code", ["deadlock_detected", "serialization_failure"])
@pytest.mark.parametrize("appends", [1, 20])
async def test_what_passes_is_tried_again(pool: Pool, code: str, appends: int) -> None:
    body = f"""
        if nextval('tries') <= 3 then raise exception 'tried' using errcode = '{code}'; end if;
        return new;
    """
    await pool.execute(AT_EACH_APPEND.format(body=body))
    async with PostgresEventStore(pool, listen=False) as store:
        results = await asyncio.gather(
            *(
                store.append(f"a-{n}", [Event("Opened", {})], expected_version=0)
                for n in range(appends)
            )
        )
    assert [result.version for result in results] == [1] * appends


@pytest.mark.parametrize("code", ["deadlock_detected", "serialization_failure"])
async def test_an_import_that_meets_what_passes_is_tried_again(pool: Pool, code: str) -> None:
    body = f"""
        if nextval('tries') <= 3 then raise exception 'tried' using errcode = '{code}'; end if;
        return new;
    """
    await pool.execute(AT_EACH_APPEND.format(body=body))
    async with PostgresEventStore(pool, listen=False) as store:
        events: list[RecordedEvent[object]] = [
            RecordedEvent("Opened", {}, stream_id=name, version=1, position=number)
            for number, name in enumerate(("a", "b"), start=1)
        ]
        assert await store.import_events(events) == 2


@pytest.mark.parametrize("code", ["deadlock_detected", "serialization_failure"])
async def test_what_does_not_pass_ends(pool: Pool, code: str) -> None:
    body = f"raise exception 'tried %', nextval('tries') using errcode = '{code}';"
    await pool.execute(AT_EACH_APPEND.format(body=body))
    async with asyncio.timeout(20), PostgresEventStore(pool, listen=False) as store:
        with pytest.raises(StorageError, match="tried"):
            await store.append("a", [Event("Opened", {})], expected_version=0)


async def test_one_append_that_takes_too_long_does_not_fail_its_batch(url: str) -> None:
    body = "if new.stream_id = 'slow' then perform pg_sleep(60); end if; return new;"
    await execute(url, AT_EACH_APPEND.format(body=body))
    names = ["first", *(f"a-{n}" for n in range(5)), "slow", *(f"b-{n}" for n in range(5))]
    async with asyncio.timeout(40), open_backend(url, statement_timeout="500") as backend:
        outcomes = await asyncio.gather(
            *(
                backend.event_store.append(name, [Event("Opened", {})], expected_version=0)
                for name in names
            ),
            return_exceptions=True,
        )
    failed = {
        name: each
        for name, each in zip(names, outcomes, strict=True)
        if isinstance(each, BaseException)
    }
    assert list(failed) == ["slow"]
    assert type(failed["slow"]) is StorageError
    assert isinstance(failed["slow"].__cause__, asyncpg.QueryCanceledError)
    assert not isinstance(failed["slow"], OutageError)


@pytest.mark.parametrize("appends", [1, 5])
async def test_a_warning_of_a_users_trigger_fails_no_append(pool: Pool, appends: int) -> None:
    """Where a standby is awaited, the server's own warning is heeded, and no other one."""
    await pool.execute(AT_EACH_APPEND.format(body="raise warning 'mine'; return new;"))
    async with PostgresEventStore(pool, listen=False) as store:
        storage = storage_of(store)
        storage._writer._standbys.are_awaited = True
        batch = [
            store._codec.encode_append(f"a-{n}", [Event("Opened", {})], 0) for n in range(appends)
        ]
        assert [verdict.count for verdict in await storage.write(batch)] == [1] * appends


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_what_the_level_of_the_database_fails_is_done_at_read_committed(
    url: str, level: str
) -> None:
    body = """
        if current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'at %', nextval('tries') using errcode = 'serialization_failure';
        end if;
        return new;
    """
    await execute(url, AT_EACH_APPEND.format(body=body))
    settings = {"default_transaction_isolation": level}
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=2, server_settings=settings) as strict,
        PostgresEventStore(strict, listen=False) as store,
    ):
        for version in (1, 2):
            result = await store.append("a", [Event("Opened", {})], expected_version=version - 1)
            assert result.version == version
        assert await strict.fetchval("select nextval('tries')") == 2  # it failed once
