"""The command `projections`: how all that follows a store stands."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_cli._projections import standing
from eventsourcing_core import ProjectionStatus
from eventsourcing_core.stores import Appender, Build, ProjectionKind
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_cli._stores import NOON, append, event, fill
from tests.eventsourcing_cli.projections._code import written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Outcome, Run

DEADLINE = 60.0  # seconds until something counts as never happening


@pytest.fixture(params=["memory", "file", "url"])
def store(request: pytest.FixtureRequest, run: Run, folder: Path) -> str:
    """Give a store of each kind with a view that has seen its three events."""
    found: str = request.getfixturevalue(request.param)
    fill(found, "a-1", event(), event(), event())
    assert run("projections", "rebuild", found, f"{written(folder)}:Counts").code == 0
    return found


@pytest.mark.parametrize("named", [["list"], []], ids=["named", "unnamed"])
def test_each_version_is_a_line_in_a_pipe(run: Run, store: str, named: list[str]) -> None:
    outcome = run("projections", *named, store)
    columns = ["counts", "1", "view", "live", "", "3", "3", "0", "0.000", "8", "8", "", "0", "", ""]
    assert outcome.out == "\t".join(columns) + "\n"


@pytest.mark.parametrize("place", [1, 2])
def test_with_json_each_version_is_an_object(run: Run, store: str, place: int) -> None:
    arguments = ["projections", store]
    arguments.insert(place, "--json")
    assert json.loads(run(*arguments).out) == {
        "name": "counts",
        "version": 1,
        "kind": "view",
        "state": "live",
        "is_paused": False,
        "segments": 8,
        "owners": [],
        "free": 8,
        "position": 3,
        "head": 3,
        "lag_events": 0,
        "lag_seconds": 0.0,
        "held_by": None,
        "parked": 0,
        "last_error": None,
    }


def test_what_has_not_been_seen_is_the_lag(run: Run, store: str) -> None:
    fill(store, "a-2", event(), event())
    found = json.loads(run("projections", store, "--json").out)
    assert (found["position"], found["head"], found["lag_events"]) == (3, 5, 2)
    assert found["lag_seconds"] > 0


def test_no_projections_are_told_apart_from_an_error(run: Run, memory: str) -> None:
    outcome = run("projections", memory)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("nothing: no projections in this store")


def test_read_models_may_be_in_another_store(
    run: Run, folder: Path, memory: str, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/views.db"
    fill(memory, "a-1", event(), event())
    code = f"{written(folder)}:Counts"
    assert run("projections", "rebuild", memory, code, "--on", other).code == 0
    assert run("projections", memory).code == 3
    found = json.loads(run("projections", memory, "--on", other, "--json").out)
    assert (found["position"], found["head"]) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'URL'"),
        (["rebulid", "memory://"], "No such command 'rebulid'. Did you mean 'rebuild'?"),
        (["--nothing", "memory://"], "No such option: --nothing"),
    ],
    ids=["no url", "no command", "no option"],
)
def test_wrong_usage_is_told(run: Run, arguments: list[str], said: str) -> None:
    outcome = run("projections", *arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_help_lists_the_commands(run: Run) -> None:
    outcome = run("projections", "--help")
    assert outcome.code == 0
    assert "rebuild" in outcome.out


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_a_terminal_shows_a_narrow_table(
    run: Run, command: Command, file: str, folder: Path
) -> None:
    from tests.eventsourcing_cli._terminal import (  # noqa: PLC0415 - not to be had on Windows
        COLUMNS,
        shown_on_terminal,
        without_styles,
    )

    fill(file, "a-1", *[event() for _ in range(1_234)])
    assert run("projections", "rebuild", file, f"{written(folder)}:Counts").code == 0
    assert run("projections", "pause", file, "counts").code == 0
    shown = without_styles(shown_on_terminal(command("projections", file)))
    lines = [line.split() for line in shown.splitlines()]
    assert lines == [
        ["name", "state", "position", "behind", "owned", "parked"],
        ["counts", "live", "1,234", "0", "0/8", "0"],
        ["view", "1", "paused", "of", "1,234", "0.0", "s"],
    ]
    assert max(map(len, shown.splitlines())) <= COLUMNS


def test_what_is_too_long_for_a_table_is_below_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    status = ProjectionStatus(
        build=Build("balances", 2),
        kind=ProjectionKind.PROJECTION,
        state="building",
        is_paused=False,
        segments=8,
        owners=["host:1:a", "host:2:b"],
        free=3,
        position=1_234_567,
        head=12_345_678,
        lag_events=11_111_111,
        lag_seconds=7_384.0,
        held_by=Appender(7, 42, NOON, "idle", "report\x1b[2J"),
        parked=1_000,
        last_error="ValueError: it \x1b[2J fails\nand fails",
    )
    standing._show([status])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["name", "state", "position", "behind", "owned", "parked"],
        ["balances", "building", "1,234,567", "11,111,111", "5/8", "1,000"],
        ["projection", "2", "of", "12,345,678", "2h03m"],
    ]
    assert lines[3:] == [
        "balances 2 run by host:1:a",
        "balances 2 run by host:2:b",
        "balances 2 last error ValueError: it \\u001b[2J fails and fails",
        "all are held up by process 42, report\\u001b[2J, idle, since 2026-11-25 12:00:00Z",
    ]


async def test_who_holds_readers_back_is_named(run: Run, url: str, folder: Path) -> None:
    await append(url, "a-1", [event()])
    code = f"{written(folder)}:Counts"
    assert (await asyncio.to_thread(run, "projections", "rebuild", url, code)).code == 0
    connection = await asyncpg.connect(url)
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        PostgresEventStore(pool) as store,
    ):
        transaction = connection.transaction()
        await transaction.start()
        await store.append("x-1", [event()], expected_version=0, connection=connection)
        pid = await connection.fetchval("select pg_backend_pid()")
        found: Any = None
        async with asyncio.timeout(DEADLINE):
            while found is None:
                as_json: Outcome = await asyncio.to_thread(run, "projections", url, "--json")
                found = json.loads(as_json.out)["held_by"]
        in_a_pipe: Outcome = await asyncio.to_thread(run, "projections", url)
        await transaction.rollback()
    await connection.close()
    assert found["process_id"] == pid
    assert in_a_pipe.out.split("\t")[13].startswith(f"process {pid}, ")
