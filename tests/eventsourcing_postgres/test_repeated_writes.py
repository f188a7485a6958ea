"""Appends that the server ends for a reason that passes, or that is only their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, StorageError, open_backend
from eventsourcing_core.stores import OutageError
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres._databases import execute

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
