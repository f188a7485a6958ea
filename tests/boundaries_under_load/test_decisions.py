"""Processes decide on one store at the same time, and each decision is looked at afterwards."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from tests.boundaries_under_load._processes import decided, log_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.boundaries_under_load._decisions import Decision

ENOUGH = int(os.environ.get("EVENTSOURCING_DECISIONS", "2000"))
FEW = 1_000  # are enough for a store that does wrong


async def wrong_ones(url: str, decisions: list[Decision]) -> list[str]:
    log = await log_of(url)
    return [*chain.from_iterable(map(log.wrong, decisions))]


@pytest.mark.timeout(120 + ENOUGH / 50)
async def test_every_decision_is_right(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}?busy_timeout=60"
    decisions = decided(url, tmp_path, enough=ENOUGH, kills=3)
    assert await wrong_ones(url, decisions) == []
    accepted = [decision for decision in decisions if decision.missed is None]
    assert len(accepted) > ENOUGH / 10
    assert len(decisions) - len(accepted) > ENOUGH / 10


@pytest.mark.parametrize("fault", ["others are not looked at", "marker after the read"])
async def test_a_store_that_does_wrong_is_found_out(tmp_path: Path, fault: str) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}?busy_timeout=60"
    assert await wrong_ones(url, decided(url, tmp_path, fault, enough=FEW)) != []
