"""Failovers under load: nothing confirmed is lost, and no follower keeps what is gone.

``EVENTSOURCING_FAILOVER_SECONDS`` says for how long, and ``EVENTSOURCING_FAILOVER_NAME`` what all
choices follow from.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from tests.eventsourcing_postgres.failover._load import Outcome, run
from tests.eventsourcing_postgres.failover._pair import running_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.eventsourcing_postgres.failover._clients import Confirmed

SECONDS = float(os.environ.get("EVENTSOURCING_FAILOVER_SECONDS", "60"))
NAME = os.environ.get("EVENTSOURCING_FAILOVER_NAME", "gate")
pytestmark = pytest.mark.timeout(SECONDS + 180)  # what hangs ends by itself before
FOLLOWERS = ("of all", "of one event type", "of one prefix")


@pytest.fixture(scope="module")
def outcome() -> Iterator[Outcome]:
    """Run the load once."""
    with running_pair() as pair:
        yield asyncio.run(run(pair, SECONDS, NAME))


def lost(confirmed: Sequence[Confirmed], outcome: Outcome) -> list[Confirmed]:
    """Give what was confirmed, and is not at its place."""
    there = {(stream_id, version): event_id for stream_id, version, event_id in outcome.there}
    return [
        each
        for each in confirmed
        if (each.stream_id, each.version) not in there
        or each.event_id not in {None, there[each.stream_id, each.version]}
    ]


def test_there_were_failovers_and_commits_that_waited_in_vain(outcome: Outcome) -> None:
    assert outcome.failovers > SECONDS / 20
    assert outcome.stops > outcome.failovers
    assert outcome.given_up > outcome.failovers
    assert len(outcome.confirmed) > SECONDS


def test_what_was_confirmed_is_there(outcome: Outcome) -> None:
    assert not lost(outcome.confirmed, outcome)


def test_no_repetition_is_refused(outcome: Outcome) -> None:
    assert not outcome.refused


@pytest.mark.parametrize("name", FOLLOWERS)
def test_a_follower_has_what_is_there_and_nothing_else(outcome: Outcome, name: str) -> None:
    assert outcome.delivered[name] == outcome.truth[name]


def test_followers_were_told_that_the_history_has_changed(outcome: Outcome) -> None:
    assert outcome.told["of all"]


def test_a_writer_that_trusts_what_it_reads_loses_events(outcome: Outcome) -> None:
    assert lost(outcome.trusted, outcome), f"of {len(outcome.trusted)}"


def test_a_reader_that_keeps_a_position_alone_keeps_what_is_gone(outcome: Outcome) -> None:
    assert {*outcome.delivered["by position"]} - {*outcome.truth["by position"]}
