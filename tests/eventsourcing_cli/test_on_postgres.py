"""The command on a PostgreSQL database."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from eventsourcing_core import EventTypes, open_backend
from tests.eventsourcing_cli._stores import event, fill
from tests.eventsourcing_cli.test_processes import interrupt, next_number, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.eventsourcing_cli.conftest import Command, Outcome, Run


def test_show_and_tail_read_a_database(run: Run, url: str) -> None:
    fill(url, "doc-1", event(n=1), event(n=2))
    fill(url, "doc-2", event(n=3))
    shown = run("show", url, "doc-1", "--json", "--backward").out.splitlines()
    assert [json.loads(line)["data"]["n"] for line in shown] == [2, 1]
    tail = run("tail", url, "--json", "--prefix", "doc-", "-n", "2").out.splitlines()
    assert [json.loads(line)["data"]["n"] for line in tail] == [2, 3]


def test_following_shows_what_comes_and_ends_with_ctrl_c(url: str, command: Command) -> None:
    fill(url, "doc-1", event(n=1))
    with running(command("tail", url, "--follow", "--json", "--type", "noted")) as process:
        assert next_number(process) == 1
        fill(url, "doc-1", event("other", n=2))
        fill(url, "doc-1", event(n=3))
        assert next_number(process) == 3
        assert interrupt(process) == (130, "", "")


def test_reading_makes_no_tables_even_if_the_url_says_so(run: Run, server_url: str) -> None:
    found = run("tail", f"{server_url}?schema=not_made&migrate=true")
    assert (found.code, found.out) == (1, "")
    assert "the schema 'not_made' is not there; run: " in found.err


def test_a_wrong_password_is_not_shown(run: Run, server_url: str) -> None:
    url = server_url.replace("postgres@", "guarded:sesame@")
    found = run("tail", url, "--traceback")
    assert found.code == 1
    assert "password authentication failed" in found.err
    assert "sesame" not in found.err


async def test_an_export_warns_of_whoever_hides_events_from_it(
    run: Run, url: str, tmp_path: Path
) -> None:
    async with (
        open_backend(url, event_types=EventTypes()) as slow,
        open_backend(url, event_types=EventTypes()) as quick,
    ):
        await quick.event_store.append("doc-1", [event()], expected_version=0)
        async with slow.transaction() as transaction:
            await transaction.append("doc-2", [event()], expected_version=0)
            await quick.event_store.append("doc-3", [event()], expected_version=0)
            file = str(tmp_path / "early.jsonl")
            early: Outcome = await asyncio.to_thread(run, "export", url, file)
    assert "early.jsonl: 1 events" in early.out
    assert "is appending and hides what others have stored since then" in early.err
    late: Outcome = await asyncio.to_thread(run, "export", url, str(tmp_path / "late.jsonl"))
    assert "late.jsonl: 3 events" in late.out
    assert not late.err.strip()  # an old version of rich ends its line
