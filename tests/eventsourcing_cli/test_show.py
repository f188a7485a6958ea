"""The command `show`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.eventsourcing_cli._stores import event, events_in, fill

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Run


@pytest.fixture
def store(memory: str) -> str:
    """Give a store with a stream of five events, and one of another stream before them."""
    fill(memory, "other-1", event(n=0))
    fill(memory, "doc-1", *[event(n=n) for n in range(1, 6)])
    return memory


def numbers(out: str) -> list[int]:
    """Give what the events of lines of JSON were told apart by."""
    return [json.loads(line)["data"]["n"] for line in out.splitlines()]


def test_in_a_pipe_an_event_is_a_line_of_columns(run: Run, store: str) -> None:
    assert run("show", store, "doc-1", "--limit", "1").out.splitlines() == [
        '1\t2\t2026-11-25T12:00:00+00:00\tnoted\t{"n":1}\t{}'
    ]


def test_an_event_in_json_has_everything(run: Run, store: str) -> None:
    line = json.loads(run("show", store, "doc-1", "--json", "--limit", "1").out)
    (stored,) = [each for each in events_in(store) if each.position == 2]
    assert line == {
        "position": 2,
        "stream_id": "doc-1",
        "version": 1,
        "event_id": str(stored.event_id),
        "event_type": "noted",
        "timestamp": "2026-11-25T12:00:00+00:00",
        "data": {"n": 1},
        "metadata": {},
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [1, 2, 3, 4, 5]),
        (["--from", "4"], [4, 5]),
        (["--to", "2"], [1, 2]),
        (["--from", "2", "--to", "4"], [2, 3, 4]),
        (["--backward"], [5, 4, 3, 2, 1]),
        (["--limit", "2"], [1, 2]),
        (["--backward", "--limit", "2", "--to", "4"], [4, 3]),
    ],
)
def test_the_options_choose_the_events(
    run: Run, store: str, options: list[str], expected: list[int]
) -> None:
    found = run("show", store, "doc-1", "--json", *options)
    assert (found.code, numbers(found.out)) == (0, expected)


def test_values_that_json_lacks_are_shown_in_their_json_form(run: Run, memory: str) -> None:
    fill(memory, "doc-1", event(amount=Decimal("0.10"), id=UUID(int=1), raw=b"\0"))
    assert json.loads(run("show", memory, "doc-1", "--json").out)["data"] == {
        "amount": {"$decimal": "0.10"},
        "id": {"$uuid": "00000000-0000-0000-0000-000000000001"},
        "raw": {"$bytes": "AA=="},
    }


def test_a_stream_without_events_is_said_with_a_code_of_its_own(run: Run, store: str) -> None:
    found = run("show", store, "doc-2")
    assert found == (3, "", "nothing: the stream 'doc-2' has no events in this store\n")


def test_versions_that_are_not_there_are_told_from_a_stream_that_is_not(
    run: Run, store: str
) -> None:
    found = run("show", store, "doc-1", "--from", "6")
    assert found == (3, "", "nothing: the stream 'doc-1' has no such events in this store\n")


@pytest.mark.parametrize("option", ["--from=0", "--to=0", "--limit=-1", "--from=first"])
def test_a_number_out_of_bounds_is_wrong_usage(run: Run, store: str, option: str) -> None:
    found = run("show", store, "doc-1", option)
    assert found.code == 2
    assert found.err.startswith(f"error: Invalid value for '{option.partition('=')[0]}'")
    assert found.err.endswith("eventsourcing show --help says what can be given\n")


def test_a_stream_id_that_no_store_accepts_is_refused(run: Run, store: str) -> None:
    found = run("show", store, "doc\x1b[2J")
    assert found.code == 1
    assert found.err.startswith("error: invalid stream id 'doc\\x1b[2J': character 4 is")
