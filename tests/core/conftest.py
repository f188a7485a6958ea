"""What tests share: stores that write down their calls, the log of snapshots, and enough time."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._repositories import deciding
from tests.core._banks import Bank
from tests.core._tills import Events, Shelf, Till, repository

if TYPE_CHECKING:
    from eventsourcing_core import Repository


@pytest.fixture(autouse=True)
def patient_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands that wait decide in one go, however long that takes on a busy machine."""
    monkeypatch.setattr(deciding, "_LONGEST", inf)


@pytest.fixture
def events() -> Events:
    """Give an event store."""
    return Events()


@pytest.fixture
def shelf() -> Shelf:
    """Give a snapshot store."""
    return Shelf()


@pytest.fixture
def tills(events: Events, shelf: Shelf) -> Repository[Till]:
    """Give a repository on both."""
    return repository(events, shelf)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Give the log of snapshots, down to its details."""
    caplog.set_level(logging.DEBUG, logger="eventsourcing_core.snapshots")
    return caplog


@pytest.fixture
def bank(shelf: Shelf) -> Bank:
    """Give a backend whose snapshots are on the shelf."""
    return Bank(shelf)
