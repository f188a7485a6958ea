"""No decision is wrong, whatever else is written meanwhile; and whoever breaks the rules is caught.

``EVENTSOURCING_DECISIONS`` says how many decisions are judged at least, in as many
rounds as that takes; unless it is given, there is one round of 30 seconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_postgres._functions import functions
from eventsourcing_postgres._statements import in_schema
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres.boundaries._load import DEADLINE, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 30.0  # of a round
DECISIONS = int(os.environ.get("EVENTSOURCING_DECISIONS", "1"))
SLOWEST = 10  # decisions in a second, on the slowest machine
PATIENCE = 60.0  # seconds in which a canary must be caught
pytestmark = pytest.mark.timeout(DECISIONS / SLOWEST + 2 * (SECONDS + DEADLINE))


def run_rounds(server_url: str, template: str) -> Outcome:
    """Run rounds, each on a database of its own, until enough decisions were judged."""
    outcomes: list[Outcome] = []
    count = 0
    while count < DECISIONS:
        name = f"{RUN}_decisions_{len(outcomes)}"
        with temporary_database(server_url, name, f"template {template}") as url:
            outcomes.append(asyncio.run(run(url, SECONDS, name=name)))
        verdicts = outcomes[-1].verdicts
        count += verdicts.accepted + verdicts.refused
        print(f"{count} decisions, {len(verdicts.wrong)} of this round wrong", flush=True)
        if verdicts.wrong:
            break
    last = outcomes[-1]
    return last._replace(
        ways={way for each in outcomes for way in each.ways},
        failures={failure for each in outcomes for failure in each.failures},
        deadlocks=sum(each.deadlocks for each in outcomes),
    )


@pytest.fixture(scope="module")
def outcome(server_url: str, template: str) -> Outcome:
    """Run the load once."""
    return run_rounds(server_url, template)


def test_no_decision_is_wrong(outcome: Outcome) -> None:
    assert outcome.verdicts.wrong == []


def test_many_were_accepted_and_many_refused(outcome: Outcome) -> None:
    assert outcome.verdicts.accepted > 5 * SECONDS
    assert outcome.verdicts.refused > 5 * SECONDS


def test_there_was_everything_that_decisions_may_meet(outcome: Outcome) -> None:
    assert outcome.kills
    assert outcome.ways == {
        "_write",
        "_write_slowly",
        "_decide",
        "_decide_at_once",
        "_decide_in_a_transaction",
    }


def test_nobody_met_a_deadlock_or_another_error(outcome: Outcome) -> None:
    assert outcome.deadlocks == 0
    assert outcome.failures == set()


def without_locks(text: str) -> str:
    """Take no lock of a tag."""
    return text.replace("coalesce(cardinality(keys), 0)", "0")


def checked_first(text: str) -> str:
    """Check before the locks are taken."""
    locks = text.index("    -- 1. The lock")
    check = text.index("    -- 2. The conditions")
    end = text.index("    for number in 1 .. coalesce(cardinality(blocked)")
    return text[:locks] + text[check:end] + text[locks:check] + text[end:]


def types_unlocked(text: str) -> str:
    """Share the lock of all appends where it would have to be taken."""
    return text.replace("if is_alone then", "if false then")


@pytest.mark.parametrize(
    ("change", "decide_by"),
    [(without_locks, "-"), (checked_first, "-"), (types_unlocked, "types")],
)
def test_a_broken_function_is_caught(
    server_url: str, template: str, change: Callable[[str], str], decide_by: str
) -> None:
    name = f"{RUN}_{change.__name__}"
    with temporary_database(server_url, name, f"template {template}") as url:
        asyncio.run(change_function(url, change))
        until_caught(url, decide_by, lambda outcome: outcome.verdicts.wrong != [])


def test_a_horizon_that_is_asked_for_after_the_read_is_caught(
    server_url: str, template: str
) -> None:
    with temporary_database(server_url, f"{RUN}_marker", f"template {template}") as url:
        until_caught(url, "marker", lambda outcome: outcome.verdicts.wrong != [])


def test_tags_that_are_locked_in_another_order_end_in_deadlocks(
    server_url: str, template: str
) -> None:
    with temporary_database(server_url, f"{RUN}_order", f"template {template}") as url:
        until_caught(url, "order", lambda outcome: outcome.deadlocks > 0)


def until_caught(url: str, broken: str, is_caught: Callable[[Outcome], bool]) -> None:
    """Run short loads until the oracle has found what is broken."""
    end = time.monotonic() + PATIENCE
    number = 0
    while time.monotonic() < end:
        number += 1
        if is_caught(asyncio.run(run(url, 3.0, broken, f"broken-{number}"))):
            return
    pytest.fail("nothing was found to be wrong")


async def change_function(url: str, change: Callable[[str], str]) -> None:
    """Put a broken text into the place of the function that appends."""
    (text,) = (each.sql for each in functions() if each.name == "append_v3")
    changed = change(text)
    assert changed != text
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(in_schema(changed, "eventsourcing"))
    finally:
        await connection.close()
