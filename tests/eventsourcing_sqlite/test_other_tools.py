"""Files in which a tool keeps tables of its own, and nobody else anything, are new or ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import SchemaError
from tests.eventsourcing_sqlite._files import query, try_to_open, versions_in
from tests.eventsourcing_sqlite.test_database import write_store

if TYPE_CHECKING:
    from pathlib import Path

LITESTREAM = """
    create table _litestream_seq (id integer primary key, seq integer);
    create table _litestream_lock (id integer);
"""
STATISTICS = """
    create table gone (a primary key);
    insert into gone values (1);
    analyze;
    drop table gone;
"""
OWN = [
    LITESTREAM,
    STATISTICS,
    "create table _cf_KV (key text primary key, value blob) without rowid;",
    "create table _cf_METADATA (key integer primary key, value blob);",
    "create table android_metadata (locale text);",
    f"{LITESTREAM} {STATISTICS}",
]


def make(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(script)


@pytest.mark.parametrize("script", OWN)
async def test_a_file_that_a_tool_opened_first_is_new(path: Path, script: str) -> None:
    make(path, script)
    before = query(path, "select name from sqlite_master order by name")
    await write_store(path)
    assert await versions_in(path) == [1, 2, 3]
    assert {*before} <= {*query(path, "select name from sqlite_master")}


@pytest.mark.parametrize("script", OWN)
async def test_a_store_that_a_tool_watches_is_opened(path: Path, script: str) -> None:
    await write_store(path)
    make(path, script)
    assert await versions_in(path) == [1, 2, 3]


@pytest.mark.parametrize(
    "script",
    [
        f"{LITESTREAM} create table users (name);",
        "create table litestream (a);",
        "create table xlitestreamx (a);",
        "create table xcfx (a);",
        "create table _mine (a);",
        "create view mine as select 1;",
        f"{LITESTREAM} pragma user_version = 1;",
    ],
)
async def test_a_file_with_something_of_somebody_elses_is_refused(path: Path, script: str) -> None:
    make(path, script)
    with pytest.raises(SchemaError, match="another application"):
        await try_to_open(path)
