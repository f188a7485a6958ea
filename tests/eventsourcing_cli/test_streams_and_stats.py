"""The commands `streams` and `stats`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli._terminal import shown_on_terminal, without_styles

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Command, Outcome, Run


@pytest.fixture(params=["memory", "file", "url"])
def store(request: pytest.FixtureRequest) -> str:
    """Give a store of each kind with two streams in it."""
    found: str = request.getfixturevalue(request.param)
    fill(found, "b-2", event("noted"), event("counted"))
    fill(found, "a-1", event("noted"))
    return found


def test_streams_are_listed_by_id(run: Run, store: str) -> None:
    assert run("streams", store).out == "a-1\t1\nb-2\t2\n"


def test_streams_are_chosen_by_prefix(run: Run, store: str) -> None:
    assert run("streams", store, "--prefix", "b-", "--json").out == (
        '{"stream_id": "b-2", "version": 2}\n'
    )


def test_no_streams_are_told_apart_from_an_error(run: Run, store: str) -> None:
    outcome = run("streams", store, "--prefix", "c")
    assert outcome.code == 3
    assert outcome.out == ""


def test_statistics_are_lines_in_a_pipe(run: Run, store: str) -> None:
    lines = [line.split("\t") for line in run("stats", store).out.splitlines()]
    assert [line for line in lines if line[0] in {"events", "streams", "event_type"}] == [
        ["events", "3"],
        ["streams", "2"],
        ["event_type", "counted", "1"],
        ["event_type", "noted", "2"],
    ]


def test_statistics_are_one_object_of_json(run: Run, store: str) -> None:
    facts = json.loads(run("stats", store, "--json").out)
    assert facts["events"] == 3
    assert facts["event_types"] == {"counted": 1, "noted": 2}
    assert facts["data_bytes"] > 0
    assert facts["appenders"] == []


def test_a_terminal_shows_a_narrow_table(command: Command, file: str) -> None:
    fill(file, "a-1", *[event("noted", text="x" * 1000) for _ in range(1234)])
    shown = without_styles(shown_on_terminal(command("stats", file)))
    assert "1,234  noted" in shown
    assert "MB" in shown
    assert all(len(line) <= 60 for line in shown.splitlines())


def test_escape_codes_in_a_stream_id_do_not_reach_a_terminal(command: Command, file: str) -> None:
    fill(file, "a-\u202e1", event("\u202enoted"))
    for name in ("streams", "stats"):
        assert "\u202e" not in shown_on_terminal(command(name, file))


async def test_who_holds_readers_back_is_named(run: Run, url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=2) as pool,
        pool.acquire() as connection,
        PostgresEventStore(pool) as store,
    ):
        transaction = connection.transaction()
        await transaction.start()
        await store.append("x-1", [event()], expected_version=0, connection=connection)
        pid = await connection.fetchval("select pg_backend_pid()")
        as_json: Outcome = await asyncio.to_thread(run, "stats", url, "--json")
        in_a_pipe: Outcome = await asyncio.to_thread(run, "stats", url)
        await transaction.rollback()
    (appender,) = json.loads(as_json.out)["appenders"]
    assert appender["process_id"] == pid
    assert appender["floor"] == 0
    assert f"appender\t0\t{pid}\t" in in_a_pipe.out


async def test_a_store_is_counted_where_nobody_knows_who_appends(run: Run, url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(  # as on a standby
        """
        create or replace function eventsourcing.horizon_v1() returns bigint language plpgsql as $$
        begin
            raise exception 'a standby cannot tell'
                using errcode = 'object_not_in_prerequisite_state';
        end $$
        """
    )
    await connection.close()
    counted: Outcome = await asyncio.to_thread(run, "stats", url)
    assert counted.code == 0
    assert "events\t0\n" in counted.out
    assert "warning: who appends is not known: appenders failed: " in counted.err
    assert "a standby cannot tell" in counted.err
