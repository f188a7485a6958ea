"""A store that a landed version wrote: events that changed, and what is inline beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import InlineMismatchError, open_backend
from tests.eventsourcing_postgres._databases import RUN, execute, run_apart, temporary_database
from tests.eventsourcing_postgres.landed.evolved import SHELVES, opened, put, shelves_go_on, types

if TYPE_CHECKING:
    from collections.abc import Iterator

EVOLVED = Path(__file__).with_name("landed") / "evolved"


@pytest.fixture(params=sorted(path.stem for path in EVOLVED.glob("*.sql")))
def commit(request: pytest.FixtureRequest) -> str:
    """Give the name of a commit that landed."""
    return str(request.param)


@pytest.fixture
def dumped_url(server_url: str, commit: str) -> Iterator[str]:
    """Give the URL of a database as that commit left it."""
    dump = EVOLVED.joinpath(f"{commit}.sql").read_text("utf-8")
    with temporary_database(server_url, f"{RUN}_evolved") as url:
        run_apart(execute(url, dump))
        yield url


@pytest.fixture
async def old_url(dumped_url: str) -> str:
    """Give the URL once this version has migrated it."""
    async with open_backend(dumped_url, migrate=True):
        return dumped_url


async def test_every_event_is_read_as_it_was(old_url: str, commit: str) -> None:
    expected = EVOLVED.joinpath(f"{commit}.txt").read_text("utf-8").splitlines()
    assert len(expected) == 27
    async with opened(old_url, "deflate") as backend:
        assert [repr(event) async for event in backend.event_store.read_all()] == expected


@pytest.mark.parametrize("name", SHELVES)
async def test_aggregates_and_what_is_inline_go_on(old_url: str, name: str) -> None:
    journal = "select sum(amount)::int from landed_journal.journal where shelf = $1"
    async with opened(old_url, name) as backend:
        # What is before its snapshot cannot be read any more, so that is in use.
        await execute(
            old_url,
            "set eventsourcing.allow_change = 'on'; update eventsourcing.events set data = ''"  # noqa: S608 - our own name
            f" where stream_id = 'landed_shelf-{name}' and version < 8",
        )
        connection = await asyncpg.connect(old_url)
        try:
            shelf = f"landed_shelf-{name}"
            before = await connection.fetchval(journal, shelf)
            await shelves_go_on(backend, name)
            assert await connection.fetchval(journal, shelf) == before + 4
        finally:
            await connection.close()


async def test_a_process_without_what_is_inline_is_still_refused(old_url: str) -> None:
    async with open_backend(old_url, event_types=types) as backend:
        with pytest.raises(InlineMismatchError) as caught:
            await put(backend, "json", 3)
    assert caught.value.wanted == "landed-journal:1, landed-stored:1"


# The statement of 7bd7565, with a few fixed arguments.
_APPEND = """
select stream_version from
    (select set_config('eventsourcing.inline', $1, true) as applied offset 0) as said,
    lateral eventsourcing.append_v2(
        array['landed_shelf-json', 'landed_shelf-raw'], $2::bigint[], null, null, null,
        array[gen_random_uuid(), gen_random_uuid()], array['landed.shelf_scented'],
        array['{}', '{}']::bytea[], null, array['json'], array[7, 7]::bigint[], '100ms', false
    )
"""


async def test_processes_of_that_version_go_on_beside_this_one(old_url: str) -> None:
    applied = "landed-journal:1, landed-stored:1"
    old = await asyncpg.connect(old_url)
    try:
        async with opened(old_url) as backend:
            rows = await old.fetch(_APPEND, applied, [9, 0])
            assert [row["stream_version"] for row in rows] == [10, 1]
            assert (await put(backend, "json", 3)).version == 11
            rows = await old.fetch(_APPEND, applied, [11, 1])
            assert [row["stream_version"] for row in rows] == [12, 2]
        with pytest.raises(asyncpg.PostgresError, match="would be missing"):
            await old.fetch(_APPEND, "", [12, 2])
    finally:
        await old.close()
