"""Two versions of the functions on one database, and which of them ``migrate`` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eventsourcing_postgres
from eventsourcing_core import ConcurrencyError, Event, SchemaError, open_backend
from eventsourcing_postgres import migrate, rollback, status
from eventsourcing_postgres._functions import functions

if TYPE_CHECKING:
    import asyncpg

    from eventsourcing_core import Backend

    Pool = asyncpg.Pool[asyncpg.Record]

LATEST = len([*Path(eventsourcing_postgres.__file__).with_name("migrations").glob("*.up.sql")])

NEXT_PROGRAM = """
import asyncio, sys
from eventsourcing_core import Event, open_backend, open_migrator

async def main(url, act):
    if act == "migrate":
        async with open_migrator(url) as migrator:
            print(await migrator.migrate())
        return
    async with open_backend(url) as backend:
        store = backend.event_store
        await store.append("shared", [Event("Next", {})], expected_version=int(act))
        events = [event async for event in store.read_all()]
        print([(event.stream_id, event.version, event.event_type) for event in events])

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """Give a copy of the package, to be changed as a next version of it may be."""
    package = Path(eventsourcing_postgres.__file__).parent
    return shutil.copytree(package, tmp_path / package.name)


def raise_major(package: Path) -> None:
    """Put ``append_one_v2`` in the place of ``append_one_v1``; it writes other event types."""
    for path in [package / "_functions.py", package / "sql" / "append_one.sql"]:
        change(path, "append_one_v1", "append_one_v2")
    old = package / "functions" / "append_one_v1.sql"
    new = old.rename(old.with_name("append_one_v2.sql"))
    change(new, "append_one_v1", "append_one_v2")
    change(new, "reached, event_id, event_type", "reached, event_id, 'v2-' || event_type")


def change(path: Path, old: str, new: str) -> None:
    """Replace a text wherever it is in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def run_next(package: Path, url: str, act: str) -> str:
    """Run the next version of the program; give what it says."""
    finished = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-c", NEXT_PROGRAM, url, act],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={
            **os.environ,
            "PYTHONPATH": f"{package.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        },
    )
    return finished.stdout + finished.stderr


async def test_two_majors_of_a_function_work_on_one_database(
    pool: Pool, url: str, next_version: Path
) -> None:
    raise_major(next_version)
    assert "has no function append_one_v2 of this library; run: " in run_next(
        next_version, url, "0"
    )
    async with open_backend(url) as running:
        await running.event_store.append("shared", [Event("Old", {})], expected_version=0)
        assert f"applied={LATEST}, latest={LATEST}" in run_next(next_version, url, "migrate")
        assert run_next(next_version, url, "1").strip() == str(
            [("shared", 1, "Old"), ("shared", 2, "v2-Next")]
        )
        await running.event_store.append("shared", [Event("Old", {})], expected_version=2)
        async with open_backend(url, migrate=True) as opened:  # this version, after the next one
            await opened.event_store.append("shared", [Event("Old", {})], expected_version=3)
        run_next(next_version, url, "4")
        expected = ["Old", "v2-Next", "Old", "Old", "v2-Next"]
        assert await types_in(running) == expected
    assert await pool.fetchval("select count(*) from eventsourcing.streams") == 1


async def types_in(backend: Backend) -> list[str]:
    return [event.event_type async for event in backend.event_store.read("shared")]


async def test_rolling_back_drops_the_functions_of_all_versions(
    pool: Pool, url: str, next_version: Path
) -> None:
    raise_major(next_version)
    run_next(next_version, url, "migrate")
    await rollback(pool, to=3)
    assert await pool.fetch("select proname from pg_proc where proname ~ '_v[0-9]+$'") == []
    await migrate(pool)
    assert await status(pool) == (LATEST, LATEST)


# Which functions `migrate` makes.

_VERSION_OF = "select prosrc from pg_proc where proname = 'version_of_v1'"


async def revise(pool: Pool, revision: int, schema: str = "eventsourcing") -> None:
    """Give a function another text, and say that it is of this revision."""
    await pool.execute(f"""
        create or replace function {schema}.version_of_v1(stream_id text)
        returns bigint language sql volatile as $$ select 42::bigint $$;
        comment on function {schema}.version_of_v1 is 'revision {revision} for "{schema}"';
    """)


async def test_migrate_makes_an_older_text_anew(pool: Pool) -> None:
    right = await pool.fetchval(_VERSION_OF)
    await revise(pool, 0)
    await migrate(pool)
    assert await pool.fetchval(_VERSION_OF) == right


async def test_migrate_makes_anew_what_somebody_changed(pool: Pool) -> None:
    right = await pool.fetchval(_VERSION_OF)
    await revise(pool, 1)
    await migrate(pool)
    assert await pool.fetchval(_VERSION_OF) == right


async def test_texts_of_one_major_go_with_both_programs_and_the_newer_one_stays(
    pool: Pool, url: str, next_version: Path
) -> None:
    text = next_version / "functions" / "version_of_v1.sql"
    change(text, "revision 1", "revision 2")
    change(text, "select coalesce", "select /* mended */ coalesce")
    # An older text does all that its major promises.
    assert run_next(next_version, url, "0").strip() == str([("shared", 1, "Next")])

    assert f"applied={LATEST}, latest={LATEST}" in run_next(next_version, url, "migrate")
    newer = await pool.fetchval(_VERSION_OF)
    assert "mended" in newer
    async with open_backend(url, migrate=True) as backend:  # this version is the older one
        await backend.event_store.append("shared", [Event("Old", {})], expected_version=1)
    assert await pool.fetchval(_VERSION_OF) == newer


async def test_a_schema_that_lacks_a_function_says_which_and_the_command(
    pool: Pool, url: str
) -> None:
    await pool.execute("drop function eventsourcing.horizon_v1")
    await pool.execute("comment on function eventsourcing.append_v1 is null")
    said = "has no function append_v1, horizon_v1 of this library; run: python -m eventsourcing_p"
    with pytest.raises(SchemaError, match=said):
        async with open_backend(url):
            pass
    with pytest.raises(SchemaError, match=said):
        await status(pool)
    await migrate(pool)
    async with open_backend(url) as backend:
        await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)


@pytest.mark.parametrize("name", ["renamed", 'it\'s "so"', "{schema}", "漢"])
async def test_a_renamed_schema_is_refused_until_it_is_migrated(
    pool: Pool, url: str, name: str
) -> None:
    identifier = '"' + name.replace('"', '""') + '"'
    await pool.execute(f"alter schema eventsourcing rename to {identifier}")
    await migrate(pool)  # another store has the old name
    said = f"the schema {name!r} was renamed: its functions were made for the schema"
    with pytest.raises(SchemaError, match=f'{re.escape(said)} "eventsourcing".*; run: python -m'):
        async with open_backend(url, schema=name):
            pass
    with pytest.raises(SchemaError, match=re.escape(said)):
        await status(pool, schema=name)

    await migrate(pool, schema=name)
    async with open_backend(url, schema=name) as backend, open_backend(url) as other:
        async with pool.acquire() as connection, connection.transaction():
            await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)
            await connection.fetchval(
                f"select {identifier}.append_one_v1("
                "'b', 0, gen_random_uuid(), 'Opened', '{}', null, 'json', 7, null)"
            )
            count = "select count(*) from {}.appenders"
            assert await pool.fetchval(count.format(identifier)) == 1
            assert await pool.fetchval(count.format("eventsourcing")) == 0
        assert len([event async for event in backend.event_store.read_all()]) == 2
        assert [event async for event in other.event_store.read_all()] == []


async def test_a_newer_text_for_another_schema_is_made_anew(pool: Pool, url: str) -> None:
    await revise(pool, 99)
    await pool.execute("alter schema eventsourcing rename to renamed")
    await migrate(pool, schema="renamed")
    async with open_backend(url, schema="renamed") as backend:
        await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)
        with pytest.raises(ConcurrencyError, match="is at version 1"):  # and not at 42
            await backend.event_store.append("a", [Event("Opened", {})], expected_version=0)


# Files that have landed.

CHECKSUMS = Path(__file__).with_name("landed") / "checksums.txt"


def test_what_has_landed_is_not_edited() -> None:
    # A migration: write another one. A function: raise its revision, or its major where a program
    # of the version before could not call it. Then a line is added to the list, and none changed.
    package = files("eventsourcing_postgres")
    texts = {
        f"migrations/{path.name}": path.read_text("utf-8")
        for path in package.joinpath("migrations").iterdir()
    }
    texts |= {f"{each.name}, revision {each.revision}": each.sql for each in functions()}
    now = {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
    lines = CHECKSUMS.read_text("utf-8").splitlines()
    landed = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
    assert now == {name: landed.get(name, "not listed") for name in now}
    assert {name for name in landed if name.startswith("migrations/")} <= set(now)


def test_every_file_is_in_the_order_and_says_its_revision() -> None:
    folder = files("eventsourcing_postgres").joinpath("functions")
    assert {f"{each.name}.sql" for each in functions()} == {path.name for path in folder.iterdir()}
    for function in functions():
        assert function.revision > 0
        assert f"create or replace function {{schema}}.{function.name}(" in function.sql
        mark = f"is 'revision {function.revision} for {{schema_text}}';\n"
        assert function.sql.endswith(f"comment on function {{schema}}.{function.name} {mark}")


def test_functions_call_only_functions_in_front_of_them() -> None:
    known = {"lock_class"}
    for function in functions():
        known.add(function.name)
        assert set(re.findall(r"\{schema\}\.(\w+)\(", function.sql)) <= known


def test_statements_call_functions_by_their_major() -> None:
    known = {each.name for each in functions()}
    called = {
        name
        for path in Path(str(files("eventsourcing_postgres") / "sql")).rglob("*.sql")
        for name in re.findall(r"\{schema\}\.(\w+)\(", path.read_text("utf-8"))
    }
    # A trigger calls the last one, which is the same for all versions.
    assert called == {
        *("append_v2", "append_v3", "append_one_v1", "boundary_class_v1", "horizon_v1"),
        *("matching_v1", "check_inline"),
    }
    assert called <= known | {"check_inline"}
