"""The command `tail`, without `--follow`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.eventsourcing_cli._stores import event, fill

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Run


@pytest.fixture
def store(memory: str) -> str:
    """Give a store with twelve events: odd positions are in `odd-1`, even ones in `even-1`."""
    for n in range(1, 13):
        odd = n % 2
        fill(memory, "odd-1" if odd else "even-1", event("rare" if n % 5 == 0 else "noted", n=n))
    return memory


def positions(out: str) -> list[int]:
    return [json.loads(line)["position"] for line in out.splitlines()]


def test_in_a_pipe_an_event_is_a_line_of_columns(run: Run, store: str) -> None:
    assert run("tail", store, "-n", "1").out.splitlines() == [
        '12\teven-1\t6\t2026-11-25T12:00:00+00:00\tnoted\t{"n":12}\t{}'
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], list(range(3, 13))),
        (["-n", "2"], [11, 12]),
        (["--lines", "2"], [11, 12]),
        (["--after", "0"], list(range(1, 13))),
        (["--after", "10"], [11, 12]),
        (["--after", "1", "-n", "2"], [11, 12]),
        (["--after", "11", "-n", "2"], [12]),
        (["--prefix", "odd-", "-n", "2"], [9, 11]),
        (["--type", "rare"], [5, 10]),
        (["--type", "rare", "--type", "noted", "-n", "3"], [10, 11, 12]),
        (["--type", "rare", "--prefix", "odd-"], [5]),
    ],
)
def test_the_options_choose_the_events(
    run: Run, store: str, options: list[str], expected: list[int]
) -> None:
    found = run("tail", store, "--json", *options)
    assert (found.code, positions(found.out)) == (0, expected)


@pytest.mark.parametrize("options", [["--type", "never"], ["--after", "12"], ["--prefix", "x"]])
def test_no_event_that_matches_is_said_with_a_code_of_its_own(
    run: Run, store: str, options: list[str]
) -> None:
    assert run("tail", store, *options) == (3, "", "nothing: no such events in this store\n")


def test_an_empty_store_is_said_with_the_same_code(run: Run, memory: str) -> None:
    assert run("tail", memory) == (3, "", "nothing: no events in this store\n")
