"""The rooms of the core: imports point downward only, and no room grows too large.

`python -m pytest tests/workspace/test_rooms.py -rP` prints the graph of imports.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "eventsourcing_core" / "src" / "eventsourcing_core"

ORDER = (
    "_versions",
    "_errors",
    "_names",
    "_payloads",
    "_events",
    "_state",
    "stores",
    "hookspecs",
    "plugins",
    "_discovery",
    "_appending",
    "_encoding",
    "_aggregates",
    "_snapshots",
    "_repositories",
    "_decisions",
    "_projections",
    "_inline",
    "_backend",
    "evolution",
    "__init__",
    "testing",
)
"""The rooms, the lowest first: each imports only from those before it."""

MOST_FILES = 12
"""In a room, besides its ``__init__``."""
MOST_LINES = 400
"""In a module."""
MOST_LINES_OF_A_FUNCTION = 50
"""Without its docstring and its signature: those document options, and are read elsewhere."""

DOORS = {
    "eventsourcing_core": """
        Aggregate AggregateNotFoundError AppendResult Backend BoundaryError Checkpoint
        CombinablePolicy ConcurrencyError Decided Decider DeciderDecision DeciderRepository
        Decision DuplicateEventError DuplicatePluginError Event EventCodec EventSourcingError
        EventStore EventTypes EveryEvents ExpectedVersion Folded Follower HistoryChangedError
        InlineError InlineMismatchError
        InvalidStreamIdError JsonSerializer Marker MatchingEvents OnDemand Page PluginError
        Projection ProjectionError ProjectionParkedError ProjectionStatus Projections Projector
        Query Reactor RecordedEvent Repository Saved SchemaError SerializationError SlowLoad
        SnapshotError SnapshotOccasion SnapshotPolicy SnapshotReport StateDifference StorageError
        StorageEventStore StoreBusyError StreamAt StreamStore ToStream Transaction TransformError
        Transient TypedDecision UnknownEventTypeError UnknownPluginError View ViewReader WasNamed
        caused_by check_stream_id event fold open_backend open_migrator recording_metadata upcaster
    """,
    "eventsourcing_core.stores": """
        ALL_GUARANTEES Append AppendResult Appender Arrangement AskedSnapshot Batch
        BatchRefusedError Build BuildRecord BuildSpec BuildState Columns Condition EncodedEvent
        FencedError Found Guarantee HASHES Holding Imported InlineBatch InlineChange InlineError
        InlineHandlers Inlining Inspection Joining Judge LocalHolding Matched MigrationStatus
        Migrator MissedError Move OutageError ParkedKey Parts Place Placed Plan Progress
        ProjectionError ProjectionKind ProjectionStore QueryItem Required Row RowIndex RowPage
        RowQuery Segment Snapshot SnapshotStore Span Storage StorageError StorageTransaction
        StoreStatistics StreamHeldError StreamInfo Transactions Verdict Wish Witness Worker Write
        Written check_condition check_given check_inline inline_builds inline_text check_load
        check_prune check_rollback check_save has_caught_up hash_of missing_events new_record
        new_segments not_live not_registered not_switching path_in rearranged registered still_live
    """,
    "eventsourcing_core.plugins": """
        Assemble FixedShape ItemsShape MappingShape Offer OptionalShape OtherShape PairsShape
        PayloadClass PayloadFamily PayloadField
        PlainShape Plugins RecordField RecordShape SCALARS Scalar Serializer Shape Transformer
        TypedCodec TypedFunctions WrittenShape hookimpl hookspec installed_plugins load_plugins
    """,
    "eventsourcing_core.evolution": """
        AliasLayout Change ClassLayout Comparison Compatibility EnumLayout Example FieldLayout
        Freezing FrozenFile FrozenFileError Layout RecordLayout Shape TransformProgress
        TransformationError Transformed TypeCheck catalogue_page
        check_store compare_layouts freeze frozen_paths json_schema layout_of misread newest
        read_frozen stored_rows transform unfrozen
    """,
    "eventsourcing_core.testing": """
        AggregateOutcome BackendContract DeciderOutcome EventStoreContract FrozenEventsContract
        GivenAggregate GivenDecider InliningContract MakeTransformer MigratorContract NewLocation
        NewSnapshotLocation NewUrl OpenMigrator OpenParts OpenSnapshotStore Outcome
        DefinePayload PayloadFamilyContract
        ProjectionStoreContract SerializerContract SnapshotStoreContract TransformerContract given
    """,
}
"""What each door offers. A name that comes or goes is a change of the public interface."""


def modules_of(package: Path) -> dict[str, Path]:
    """Give the modules of a package by their dotted names, the package's own included."""
    found: dict[str, Path] = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(package: Path) -> dict[str, set[str]]:
    """Give the modules of a package that each of them imports, wherever in it, also for types."""
    modules = modules_of(package)
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        graph[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module not in modules:
                continue
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            graph[name] |= inside or {node.module}
    return graph


def room_of(module: str) -> str:
    """Give the room of a module of the core."""
    _, _, inside = module.partition(".")
    return inside.partition(".")[0] or "__init__"


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body, without its docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body or body[-1].end_lineno is None:
        return 0
    return body[-1].end_lineno - body[0].lineno + 1


def test_every_room_has_its_place() -> None:
    assert {room_of(module) for module in modules_of(CORE)} == set(ORDER)


def test_a_room_imports_only_from_rooms_below_it() -> None:
    graph = imports_of(CORE)
    for module in sorted(graph, key=lambda module: (ORDER.index(room_of(module)), module)):
        print(f"{module}: {', '.join(sorted(graph[module])) or 'nothing'}")
    upward = [
        f"{module} imports {imported}"
        for module, found in graph.items()
        for imported in found
        if ORDER.index(room_of(imported)) > ORDER.index(room_of(module))
    ]
    assert upward == []


@pytest.mark.parametrize(
    "package", sorted(ROOT.glob("eventsourcing_*/src/*/")), ids=lambda p: p.name
)
def test_no_modules_import_each_other_in_a_circle(package: Path) -> None:
    graph = imports_of(package)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize(
    "package", sorted(ROOT.glob("eventsourcing_*/src/*/")), ids=lambda p: p.name
)
def test_no_module_or_function_grows_too_long(package: Path) -> None:
    long: list[str] = []
    for name, path in modules_of(package).items():
        text = path.read_text("utf-8")
        if len(text.splitlines()) > MOST_LINES:
            long.append(f"{name}: {len(text.splitlines())} lines")
        long += [
            f"{name}.{node.name}: {length_of(node)} lines"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and length_of(node) > MOST_LINES_OF_A_FUNCTION
        ]
    assert long == []


def test_no_room_of_the_core_holds_too_many_files() -> None:
    folders = {path.parent for path in CORE.rglob("*.py")}
    crowded = {
        str(folder.relative_to(CORE)): count
        for folder in folders
        if (count := len([*folder.glob("*.py")]) - 1) > MOST_FILES
    }
    assert crowded == {}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_offers_what_is_listed(door: str) -> None:
    assert sorted(import_module(door).__all__) == sorted(DOORS[door].split())


def test_a_circle_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "_a.py").write_text("from package._b import b\n", "utf-8")
    (package / "_b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package import _a\n", "utf-8"
    )
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(package)).prepare()
