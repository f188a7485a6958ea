"""Each test of each contract is shown to fail, by a fault that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eventsourcing_core.testing import (
    BackendContract,
    EventStoreContract,
    InliningContract,
    MigratorContract,
    PayloadFamilyContract,
    ProjectionStoreContract,
    SerializerContract,
    SnapshotStoreContract,
    TransformerContract,
)

FAULTS: dict[type[object], list[str]] = {
    BackendContract: ["test_broken_backends.py"],
    EventStoreContract: [
        "test_broken_appends.py",
        "test_broken_concurrency.py",
        "test_broken_conditions.py",
        "test_broken_filters.py",
        "test_broken_follows.py",
        "test_broken_groups.py",
        "test_broken_handles.py",
        "test_broken_imports.py",
        "test_broken_inspections.py",
        "test_broken_likeness.py",
        "test_broken_long_logs.py",
        "test_broken_readers.py",
        "test_broken_reads.py",
        "test_broken_storages.py",
        "test_broken_tags.py",
        "test_broken_transactions.py",
        "test_broken_values.py",
        "test_broken_waits.py",
    ],
    InliningContract: ["test_broken_inlining.py"],
    MigratorContract: ["test_broken_migrators.py"],
    PayloadFamilyContract: ["test_broken_families.py"],
    ProjectionStoreContract: [
        "test_broken_projection_batches.py",
        "test_broken_projection_builds.py",
        "test_broken_projection_claims.py",
    ],
    SerializerContract: ["test_broken_serializers.py"],
    SnapshotStoreContract: ["test_broken_snapshot_stores.py"],
    TransformerContract: ["test_broken_transformers.py"],
}


def names_of(contract: type[object]) -> set[str]:
    return {name for name in dir(contract) if name.startswith("test_")}


@pytest.mark.parametrize("contract", [EventStoreContract, ProjectionStoreContract])
def test_chapters_share_no_test(contract: type[object]) -> None:
    together = sum(len(names_of(chapter)) for chapter in contract.__bases__)
    assert together == len(names_of(contract))


def test_all_faults_are_looked_at() -> None:
    known = {file for files in FAULTS.values() for file in files}
    assert known == {path.name for path in Path(__file__).parent.glob("test_broken_*.py")}


@pytest.mark.parametrize("contract", FAULTS)
def test_every_test_is_named_by_a_fault(contract: type[object]) -> None:
    tests = names_of(contract)
    sources = [Path(__file__).with_name(file).read_text("utf-8") for file in FAULTS[contract]]
    named = {name for source in sources for name in re.findall(r'"(test_\w+)', source)}
    assert tests - named == set()
    assert named - tests == set()  # a fault that names a test which is gone
