"""A file that a version wrote which landed: migrated, it is read as that version read it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core import Event, SchemaError, open_backend
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from tests.eventsourcing_postgres.landed.following import views_go_on
from tests.eventsourcing_postgres.landed.program import SNAPSHOT_FREQUENCY, Account
from tests.eventsourcing_sqlite._files import contents, query, try_to_open

if TYPE_CHECKING:
    from eventsourcing_core import EventStore

LANDED = Path(__file__).with_name("landed")
COMMITS = sorted(path.stem for path in LANDED.glob("*.sql"))
WITH_VIEWS = [commit for commit in COMMITS if commit not in {"1b6c58d", "ef85fee"}]
LAST = 59  # the last position of each of these files


@pytest.fixture(params=COMMITS)
def old(path: Path, request: pytest.FixtureRequest) -> Path:
    """Give a file as a commit left it that landed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LANDED.joinpath(f"{request.param}.sql").read_text("utf-8"))
    return path


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> list[str]:
    """Give what that commit read from it."""
    commit = request.node.callspec.params["old"]
    return LANDED.joinpath(f"{commit}.txt").read_text("utf-8").splitlines()


async def read(store: EventStore, after: int = 0) -> list[str]:
    return [repr(event) async for event in store.read_all(after_position=after)]


async def test_every_event_is_read_as_it_was(old: Path, expected: list[str]) -> None:
    assert len(expected) == LAST
    async with open_backend(f"sqlite:///{old}") as backend:
        assert await read(backend.event_store) == expected
    async with open_backend(f"sqlite:///{old}", migrate=False) as backend:
        assert await read(backend.event_store) == expected


@pytest.mark.parametrize("old", ["1b6c58d", "ef85fee"], indirect=True)
async def test_an_old_file_is_not_migrated_when_it_is_not_to_be(old: Path) -> None:
    ((version,),) = before = query(old, "pragma user_version")
    with pytest.raises(SchemaError, match=f"has schema version {version} of 6: bring it up to"):
        async with open_backend(f"sqlite:///{old}", migrate=False):
            pass
    assert query(old, "pragma user_version") == before


async def test_an_old_file_that_has_lost_a_table_is_refused_and_left_alone(old: Path) -> None:
    query(old, "drop table snapshots")
    before = contents(old.parent)
    with pytest.raises(SchemaError, match=r"snapshots.* restore it from a backup"):
        await try_to_open(old)
    assert contents(old.parent) == before


@pytest.mark.parametrize("name", ["json", "msgpack"])
async def test_aggregates_go_on_from_their_snapshots(old: Path, name: str) -> None:
    async with open_backend(f"sqlite:///{old}", serializer=name) as backend:
        accounts = backend.repository(Account, snapshot_frequency=SNAPSHOT_FREQUENCY)
        account = await accounts.load(name)  # its snapshots know nothing of known types: unused
        there = (account.owner, account.balance, account.version)
        assert there == (f"Zoë {name}", Decimal("0.21"), 7)
        account.deposit(Decimal(1))
        await accounts.save(account)
        with closing(sqlite3.connect(old)) as connection:
            # What is before its own snapshot cannot be read any more, so that one is in use.
            connection.executescript(
                "drop trigger events_are_not_updated; update events set data = x''"  # noqa: S608 - our own name
                f" where stream_id = 'Account-{name}' and version < {2 * SNAPSHOT_FREQUENCY}"
            )
        assert (await accounts.load(name)).balance == Decimal("1.21")


async def test_streams_go_on_where_they_ended(old: Path, expected: list[str]) -> None:
    async with open_backend(f"sqlite:///{old}") as backend:
        store = backend.event_store
        one, two, three = (Event("Added", {"n": number}) for number in range(3))
        result = await store.append("brought-msgpack-1", [one], expected_version=3)
        assert result == (4, LAST + 1)
        assert await store.append("values-json", [two, three], expected_version=11) == (
            13,
            LAST + 3,
        )
        assert (await read(store))[:LAST] == expected
        added = [event async for event in store.read_all(after_position=LAST)]
        assert [event.event_id for event in added] == [each.event_id for each in (one, two, three)]


async def test_each_stream_has_a_row_with_its_version(old: Path) -> None:
    await try_to_open(old)
    streams = query(old, "select * from streams order by stream_id")
    assert len(streams) == 14
    assert streams == query(
        old,
        "select stream_id, max(version), 1, null, null from events group by stream_id order by 1",
    )


@pytest.mark.parametrize("commit", WITH_VIEWS)
async def test_views_go_on_where_they_ended(tmp_path: Path, commit: str) -> None:
    # Each is in a file of its own, whose name the store has.
    made = {
        "store.db": LANDED / f"{commit}.sql",
        "store.db.landed-balances-v1": LANDED / "views" / f"{commit}.landed-balances-v1.sql",
        "store.db.landed-parked-v1": LANDED / "views" / f"{commit}.landed-parked-v1.sql",
    }
    for name, statements in made.items():
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.executescript(statements.read_text("utf-8"))
    async with open_backend(f"sqlite:///{tmp_path / 'store.db'}") as backend:
        await views_go_on(backend)


async def test_a_migrated_file_has_the_schema_of_a_new_one(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    shape = "select type, name, sql from sqlite_master order by type, name"
    for path in (old, new):
        await try_to_open(path)
    assert query(old, shape) == query(new, shape)
    assert query(old, "pragma user_version") == query(new, "pragma user_version")


async def test_a_program_that_had_the_file_open_goes_on_beside_this_one(old: Path) -> None:
    # It knows nothing of streams; these are its statements.
    insert = (
        "insert into events (event_type, data, metadata, encoding, event_id, timestamp, stream_id,"
        " version, position) values ('Old', '{}', null, 'json', ?, 7, ?, ?, ?)"
    )
    with closing(sqlite3.connect(old, isolation_level=None)) as before:
        assert before.execute("select count(*) from events").fetchone() == (LAST,)
        async with SqliteDatabase.open(old) as database:
            store = SqliteEventStore(database)
            before.execute(insert, (uuid4().bytes, "values-json", 12, LAST + 1))
            before.execute(insert, (uuid4().bytes, "begun", 1, LAST + 2))
            results = [
                await store.append(stream_id, [Event("New", {})], expected_version=version)
                for stream_id, version in (("values-json", 12), ("begun", 1))
            ]
            assert results == [(13, LAST + 3), (2, LAST + 4)]


def test_a_migration_that_landed_is_not_edited() -> None:
    for line in LANDED.joinpath("checksums.txt").read_text("utf-8").splitlines():
        checksum, name = line.split()
        content = (files("eventsourcing_sqlite") / name).read_bytes()
        assert (name, hashlib.sha256(content).hexdigest()) == (name, checksum)
