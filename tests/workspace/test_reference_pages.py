"""What is to be looked up is complete: the tables of the stores, and the errors."""

from __future__ import annotations

import inspect
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import asyncpg
import pytest

import eventsourcing_core
from eventsourcing_core import EventSourcingError, open_backend

if TYPE_CHECKING:
    from pathlib import Path

Tables = dict[str, dict[str, str]]
"""By table: each column with its type."""

ERRORS: list[type[EventSourcingError]] = [
    value
    for name in eventsourcing_core.__all__
    if inspect.isclass(value := getattr(eventsourcing_core, name))
    and issubclass(value, EventSourcingError)
]


def sections(text: str, level: int) -> dict[str, str]:
    """Give the sections of a page by their headings, without the marks of code."""
    _, *parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return {
        heading.replace("`", ""): part
        for heading, part in zip(parts[::2], parts[1::2], strict=True)
    }


def described_rows(section: str) -> list[list[str]]:
    """Give the cells in code of each row that begins with such a cell."""
    rows = re.findall(r"^\| `.*$", section, re.MULTILINE)
    return [re.findall(r"`([^`]+)`", row) for row in rows]


def described_tables(page: str, store: str) -> Tables:
    """Give the tables that the page describes for a store."""
    parts = sections(sections(page, 2)[store], 3)
    return {
        heading.partition(" ")[0]: {cells[0]: cells[1] for cells in described_rows(part)}
        for heading, part in parts.items()
        if "| column |" in part
    }


@pytest.fixture
def schema_page(root: Path) -> str:
    return (root / "docs" / "reference" / "schema.md").read_text("utf-8")


async def test_the_tables_of_postgres_are_as_described(schema_page: str, url: str) -> None:
    connection = await asyncpg.connect(url)
    columns = await connection.fetch(
        """
        select relname, attname, format_type(atttypid, atttypmod)
        from pg_attribute
        join pg_class on pg_class.oid = attrelid
        where relnamespace = 'eventsourcing'::regnamespace
          and relkind = 'r' and attnum > 0 and not attisdropped
        """
    )
    await connection.close()
    found: Tables = {}
    for table, column, kind in columns:
        found.setdefault(table, {})[column] = kind
    assert described_tables(schema_page, "PostgreSQL") == found


@pytest.mark.parametrize(
    ("heading", "query"),
    [
        (
            "Views, for people",
            "select viewname from pg_views where schemaname = 'eventsourcing'",
        ),
        (
            "Functions and sequence",
            """
            select proname from pg_proc where pronamespace = 'eventsourcing'::regnamespace
            union
            select sequencename from pg_sequences where schemaname = 'eventsourcing'
            """,
        ),
    ],
    ids=["views", "functions"],
)
async def test_what_else_is_in_postgres_is_described(
    heading: str, query: str, schema_page: str, url: str
) -> None:
    connection = await asyncpg.connect(url)
    found = {name for (name,) in await connection.fetch(query)}
    await connection.close()
    assert {cells[0] for cells in described_rows(sections(schema_page, 3)[heading])} == found


async def test_the_tables_of_sqlite_are_as_described(schema_page: str, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    async with open_backend(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(path)) as connection:
        columns = connection.execute(
            """
            select tables.name, columns.name, columns.type
            from sqlite_schema as tables, pragma_table_info(tables.name) as columns
            where tables.type = 'table' and tables.name not like 'sqlite_%'
            """
        ).fetchall()
    found: Tables = {}
    for table, column, kind in columns:
        found.setdefault(table, {})[column] = kind
    assert described_tables(schema_page, "SQLite") == found


@pytest.fixture
def described_errors(root: Path) -> dict[str, str]:
    return sections((root / "docs" / "reference" / "errors.md").read_text("utf-8"), 2)


def test_every_public_error_has_a_section_and_no_other_has(
    described_errors: dict[str, str],
) -> None:
    assert set(described_errors) == {error.__name__ for error in ERRORS}


@pytest.mark.parametrize("error", ERRORS)
def test_what_an_error_carries_is_said(
    error: type[EventSourcingError], described_errors: dict[str, str]
) -> None:
    own = vars(error).get("__init__")
    facts = set(inspect.signature(own).parameters) - {"self"} if own else set()
    carries = re.search(r"^It carries ((?:.+\n)+)", described_errors[error.__name__], re.MULTILINE)
    assert facts - set(re.findall(r"`(\w+)`", carries[1] if carries else "")) == set()


@pytest.mark.parametrize("error", [error for error in ERRORS if error is not EventSourcingError])
def test_the_cure_of_an_error_is_said(
    error: type[EventSourcingError], described_errors: dict[str, str]
) -> None:
    assert re.search(r"^Cure: |^\|.* cure \|$", described_errors[error.__name__], re.MULTILINE)
