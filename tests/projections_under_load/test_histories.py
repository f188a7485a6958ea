"""Projections in bad weather: every event once and in order, whatever befalls workers and store.

``EVENTSOURCING_PROJECTIONS_SECONDS`` says for how long, and ``EVENTSOURCING_PROJECTIONS_NAME`` what
all choices follow from.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import HASHES
from tests.projections_under_load._histories import (
    differences,
    gone_back,
    not_whole,
    quiet_takeovers,
    wrong_counts,
    wrong_order,
    wrong_readings,
)
from tests.projections_under_load._load import FEW, VERSIONS, Outcome, run
from tests.projections_under_load._places import SqlitePlace, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = float(os.environ.get("EVENTSOURCING_PROJECTIONS_SECONDS", "30"))
NAME = os.environ.get("EVENTSOURCING_PROJECTIONS_NAME", "gate")
pytestmark = pytest.mark.timeout(2 * SECONDS + 300)  # what hangs ends by itself before
EVERYWHERE = {"kill", "stop", "end", "segments"}
every_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def outcome(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    """Run the load once on each store."""
    if request.param == "sqlite":
        yield asyncio.run(run(SqlitePlace(tmp_path_factory.mktemp("load")), SECONDS, NAME))
    else:
        with running_server() as place:
            yield asyncio.run(run(place, SECONDS, NAME))


def test_there_was_every_weather_and_much_was_written(outcome: Outcome) -> None:
    storms = {*outcome.happened} - EVERYWHERE
    assert {*outcome.happened} >= EVERYWHERE
    assert storms in ({"stall", "cut", "restart", "terminate"}, {"lock"})
    assert len(outcome.expected) > 20 * SECONDS


@every_version
def test_every_event_was_applied_once(outcome: Outcome, version: int) -> None:
    assert wrong_counts(outcome.expected, outcome.counts[version]) == []


@every_version
def test_the_log_holds_every_event_once(outcome: Outcome, version: int) -> None:
    assert sorted(outcome.logs[version]) == sorted(outcome.expected)


@every_version
def test_events_of_a_key_were_applied_in_order(outcome: Outcome, version: int) -> None:
    assert wrong_order(outcome.logs[version]) == []


@every_version
def test_the_view_is_what_a_plain_loop_gives(outcome: Outcome, version: int) -> None:
    assert differences(outcome.plain[version], outcome.views[version]) == []


def test_positions_and_epochs_never_fell(outcome: Outcome) -> None:
    for build, samples in outcome.samples.items():
        assert len(samples) > 20, build
        assert gone_back(samples) == [], build


def test_whoever_took_a_segment_over_raised_its_epoch(outcome: Outcome) -> None:
    for build, samples in outcome.samples.items():
        assert quiet_takeovers(samples) == [], build


def test_segments_were_always_all_hashes(outcome: Outcome) -> None:
    for build, samples in outcome.samples.items():
        assert not_whole(samples, HASHES) == [], build


def test_segments_were_split_and_joined(outcome: Outcome) -> None:
    counts = {len(sample) for samples in outcome.samples.values() for sample in samples}
    assert min(counts) == FEW
    assert max(counts) > 16


def test_readers_saw_one_build_or_the_other_and_never_less(outcome: Outcome) -> None:
    for way, readings in outcome.readings.items():
        assert {build for reading in readings for build in reading.builds} == {*VERSIONS}, way
        assert wrong_readings(readings) == [], way


def test_who_waited_for_what_he_wrote_finds_it(outcome: Outcome) -> None:
    assert outcome.waited > 10
    assert outcome.early == []


def test_readers_met_no_error(outcome: Outcome) -> None:
    assert outcome.errors == []


def test_who_ends_in_order_leaves_nothing_claimed(outcome: Outcome) -> None:
    assert outcome.left == []
