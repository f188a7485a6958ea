"""Each test of each contract is shown to fail, by a fault that names it."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from eventsourcing_core.testing import (
    EventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
    MigratorContract,
    PagedEventStoreContract,
    SerializerContract,
    SnapshotStoreContract,
)

FAULTS: dict[type[object], list[str]] = {
    EventStoreContract: [
        "test_broken_appends.py",
        "test_broken_concurrency.py",
        "test_broken_filters.py",
        "test_broken_input.py",
        "test_broken_reads.py",
        "test_broken_values.py",
        "test_broken_waits.py",
    ],
    ImportingEventStoreContract: ["test_broken_imports.py"],
    InspectableEventStoreContract: ["test_broken_inspections.py"],
    MigratorContract: ["test_broken_migrators.py"],
    PagedEventStoreContract: ["test_broken_pages.py"],
    SerializerContract: ["test_broken_serializers.py"],
    SnapshotStoreContract: ["test_broken_snapshot_stores.py"],
}


def test_contracts_that_one_class_may_inherit_share_no_test() -> None:
    contracts = (EventStoreContract, ImportingEventStoreContract, PagedEventStoreContract)
    for first, second in combinations(contracts, 2):
        assert {name for name in dir(first) if name.startswith("test_")} & {*dir(second)} == set()


@pytest.mark.parametrize("contract", FAULTS)
def test_every_test_is_named_by_a_fault(contract: type[object]) -> None:
    tests = {name for name in dir(contract) if name.startswith("test_")}
    sources = [Path(__file__).with_name(file).read_text("utf-8") for file in FAULTS[contract]]
    named = {name for source in sources for name in re.findall(r'"(test_\w+)', source)}
    assert tests - named == set()
    assert named - tests == set()  # a fault that names a test which is gone
