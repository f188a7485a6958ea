"""The view for people, and the columns that stand ready."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, open_backend
from tests.eventsourcing_postgres._databases import RUN, temporary_database

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

_ROWS = """
select stream_id, encoding, data, metadata, data_text, metadata_text, tags
from eventsourcing.readable_events order by position
"""


async def test_json_is_shown_as_text_whatever_is_in_it(pool: Pool, url: str) -> None:
    data = {"text": "Zoë \0 漢", "number": float("nan"), "least": float("-inf")}
    async with open_backend(url) as backend:
        event = Event("Opened", data, metadata={"user": "漢"})
        await backend.event_store.append("a", [event], expected_version=0)
        await backend.event_store.append("b", [Event("Opened", {})], expected_version=0)
    first, second = await pool.fetch(_ROWS)
    assert first["data"].decode() == first["data_text"]
    assert repr(json.loads(first["data_text"])) == repr(data)
    assert first["metadata_text"] == '{"user":"漢"}'
    assert tuple(second)[2:] == (b"{}", None, "{}", None, None)


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "schema.md"
QUERY, FUNCTION = re.findall(r"```(?:postgre)?sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
CASE = "case when pg_input_is_valid(data_text, 'jsonb') then data_text::jsonb end"


@pytest.mark.parametrize("is_old", [False, True], ids=["PostgreSQL 16", "older"])
async def test_the_query_of_the_page_works_beside_nan_and_nul(
    pool: Pool, url: str, *, is_old: bool
) -> None:
    payloads = [
        {"owner": "Alice"},
        {"owner": "Anna", "rate": float("nan")},
        {"owner": "Arthur \0"},
        {"owner": "Agnes", "rates": [float("-inf")]},
        {"owner": "Bob"},
        {"owner": "Ann", "text": "NaN \\u0000"},
    ]
    async with open_backend(url) as backend:
        events = [Event("account.opened", payload) for payload in payloads]
        await backend.event_store.append("a", events, expected_version=0)
    async with open_backend(url, serializer="msgpack") as backend:
        await backend.event_store.append("b", [Event("account.opened", {})], expected_version=0)

    assert CASE in QUERY
    query = QUERY
    if is_old or await pool.fetchval("select current_setting('server_version_num')::int < 160000"):
        await pool.execute(FUNCTION)
        query = QUERY.replace(CASE, "jsonb_or_null(data_text)")
    assert [row["owner"] for row in await pool.fetch(query)] == ["Alice", "Ann"]


async def test_bytes_are_shown_as_they_are(pool: Pool, url: str) -> None:
    async with open_backend(url, serializer="msgpack") as backend:
        event = Event("Opened", {"n": 1}, metadata={"n": 2})
        await backend.event_store.append("a", [event], expected_version=0)
    (row,) = await pool.fetch(_ROWS)
    assert tuple(row)[1:] == ("msgpack", b"\x81\xa1n\x01", b"\x81\xa1n\x02", None, None, None)


async def test_the_view_fails_in_no_database(server_url: str) -> None:
    options = "template template0 encoding 'LATIN1' locale 'C'"
    with temporary_database(server_url, f"{RUN}_latin", options) as url:
        async with open_backend(url, migrate=True) as backend:
            event = Event("Opened", {"text": "漢"})
            await backend.event_store.append("a", [event], expected_version=0)
        connection = await asyncpg.connect(url)
        try:
            (row,) = await connection.fetch(_ROWS)
        finally:
            await connection.close()
    assert row["data"].decode() == '{"text":"漢"}'
    assert row["data_text"] is None


async def test_streams_begin_at_1_and_are_neither_deleted_nor_archived(
    pool: Pool, url: str
) -> None:
    async with open_backend(url) as backend:
        await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)
        await backend.event_store.append("b", [Event("Opened", {})], expected_version=0)
    rows = await pool.fetch("select * from eventsourcing.streams order by id")
    assert [tuple(row) for row in rows] == [("a", 1, 1, None, None), ("b", 1, 1, None, None)]
