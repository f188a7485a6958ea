"""The commands `export` and `import`: from any store to any store, and that they go on."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eventsourcing_cli import _import
from eventsourcing_cli._archive import checked
from tests.eventsourcing_cli._stores import event, events_in, fill
from tests.eventsourcing_cli._terminal import Terminal, without_styles
from tests.examples.conftest import EXAMPLES
from tests.examples.test_permits import REAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eventsourcing_cli._archive import Summary
    from tests.eventsourcing_cli.conftest import Command, Run

EXPORTED = "events.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / EXPORTED


@pytest.fixture
def large(file: str) -> str:
    """Give a store with so many events that a process can be stopped in the middle of them."""
    for number in range(20):
        fill(file, f"large-{number}", *[event("noted", n=n, text="x" * 100) for n in range(1000)])
    return file


@pytest.fixture
def store(memory: str) -> str:
    """Give a store in which the events of two streams take turns."""
    for number in range(1, 4):
        fill(memory, "a-1", event("noted", n=number))
        fill(memory, "b-1", event("counted", n=number))
    return memory


@pytest.mark.parametrize("named", ["{folder}/none.jsonl", "sqlite:///bank.db"])
def test_a_file_to_import_that_is_not_there_is_refused_with_the_cure(
    run: Run, tmp_path: Path, memory: str, named: str
) -> None:
    found = run("import", named.format(folder=tmp_path), memory)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: there is no file ")
    assert "it comes before the URL" in found.err


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("none/e.jsonl", "does not exist: make it first"),
        (".", "is a folder, a pipe or a device: give the path of"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused_with_the_cure(
    run: Run, store: str, tmp_path: Path, named: str, said: str
) -> None:
    found = run("export", store, str(tmp_path / named), "--force")
    assert (found.code, found.out) == (1, "")
    assert said in found.err


def facts_in(url: str) -> list[tuple[object, ...]]:
    """Give all of a store's events in their order, without the positions."""
    return [
        (each.stream_id, each.version, each.event_id, each.event_type, each.timestamp, each.data)
        for each in events_in(url)
    ]


def test_what_is_imported_is_what_was_exported(run: Run, store: str, file: str, path: Path) -> None:
    assert run("export", store, str(path)).code == 0
    assert run("import", str(path), file).code == 0
    assert facts_in(file) == facts_in(store)


def test_an_export_says_what_is_in_the_file(run: Run, store: str, path: Path) -> None:
    checksum = json.loads(run("export", store, str(path), "--json").out)["sha256"]
    assert run("export", store, str(path), "--force").out == (
        f"{path}: 6 events, SHA-256 {checksum}\n"
    )


def test_exports_of_stores_with_the_same_events_are_the_same_bytes(
    run: Run, store: str, file: str, url: str, path: Path
) -> None:
    run("export", store, str(path))
    run("import", str(path), file, "--serializer", "msgpack")
    run("export", file, f"{path}.sqlite")
    run("import", f"{path}.sqlite", url)
    run("export", url, f"{path}.postgres")
    assert Path(f"{path}.sqlite").read_bytes() == path.read_bytes()
    assert Path(f"{path}.postgres").read_bytes() == path.read_bytes()


def test_a_second_import_writes_nothing(run: Run, store: str, file: str, path: Path) -> None:
    run("export", store, str(path))
    run("import", str(path), file)
    assert run("import", str(path), file).out == f"{path}: 0 events written, 6 were there already\n"
    assert len(events_in(file)) == 6


def test_an_import_goes_on_after_what_is_there(
    run: Run, store: str, memory: str, file: str, path: Path
) -> None:
    run("export", store, f"{path}.first")
    run("import", f"{path}.first", file)
    fill(memory, "a-1", event("noted", n=4))
    run("export", store, str(path))
    assert json.loads(run("import", str(path), file, "--json").out)["written"] == 1
    assert facts_in(file) == facts_in(store)


def test_a_stream_that_went_on_otherwise_is_an_error(
    run: Run, store: str, file: str, path: Path
) -> None:
    run("export", store, str(path))
    fill(file, "b-1", event("another"))
    outcome = run("import", str(path), file)
    assert outcome.code == 1
    assert "'b-1'" in outcome.err
    assert len(events_in(file)) == 1


def test_only_streams_with_a_prefix_are_exported(
    run: Run, store: str, file: str, path: Path
) -> None:
    run("export", store, str(path), "--prefix", "b-")
    run("import", str(path), file)
    assert [each.stream_id for each in events_in(file)] == ["b-1"] * 3


def test_only_events_of_a_type_are_exported_and_not_imported(
    run: Run, store: str, file: str, path: Path
) -> None:
    assert (
        json.loads(run("export", store, str(path), "--type", "noted", "--json").out)["events"] == 3
    )
    outcome = run("import", str(path), file)
    assert outcome.code == 1
    assert "without --type" in outcome.err


def test_a_file_that_is_there_is_not_replaced_unasked(run: Run, store: str, path: Path) -> None:
    path.write_text("mine")
    outcome = run("export", store, str(path))
    assert outcome.code == 1
    assert "--force" in outcome.err
    assert path.read_text() == "mine"


def test_a_damaged_file_is_not_imported(run: Run, store: str, file: str, path: Path) -> None:
    run("export", store, str(path))
    path.write_bytes(path.read_bytes().replace(b'"n":3', b'"n":4', 1))
    outcome = run("import", str(path), file)
    assert outcome.code == 1
    assert "checksum" in outcome.err
    assert not Path(file.removeprefix("sqlite:///")).exists()


def test_a_missing_file_is_named(run: Run, file: str, path: Path) -> None:
    outcome = run("import", str(path), file)
    assert outcome.code == 1
    assert EXPORTED in outcome.err


def test_an_export_of_a_missing_file_makes_none(run: Run, file: str, path: Path) -> None:
    outcome = run("export", file, str(path))
    assert outcome.code == 1
    assert not Path(file.removeprefix("sqlite:///")).exists()
    assert list(path.parent.iterdir()) == []


def test_a_partial_export_of_another_store_is_not_gone_on_with(
    run: Run, store: str, file: str, path: Path
) -> None:
    run("export", store, str(path))
    whole = path.read_bytes().splitlines(keepends=True)
    Path(f"{path}.partial").write_bytes(b"".join(whole[:3]))
    path.unlink()
    fill(file, "a-1", event("noted", n=1))
    outcome = run("export", file, str(path))
    assert outcome.code == 1
    assert "another store" in outcome.err


def begin_export(path: Path, whole: Path, events: int) -> None:
    """Put what an export writes before it is stopped to its place."""
    lines = whole.read_bytes().splitlines(keepends=True)
    path.with_name(f"{path.name}.partial").write_bytes(b"".join(lines[: events + 1]))


@pytest.mark.parametrize("events", [0, 1, 5, 6])
def test_an_export_that_was_stopped_is_what_one_export_would_have_been(
    run: Run, store: str, path: Path, events: int
) -> None:
    whole = path.with_name("whole.jsonl")
    run("export", store, str(whole))
    begin_export(path, whole, events)
    assert run("export", store, str(path)).code == 0
    assert path.read_bytes() == whole.read_bytes()


def test_an_export_with_a_prefix_that_was_stopped_goes_on(run: Run, store: str, path: Path) -> None:
    whole = path.with_name("whole.jsonl")
    run("export", store, str(whole), "--prefix", "b-")
    begin_export(path, whole, 2)
    assert run("export", store, str(path), "--prefix", "b-").code == 0
    assert path.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("other", ["the same versions", "more before"])
def test_an_export_never_mixes_two_stores(
    run: Run, store: str, file: str, path: Path, other: str
) -> None:
    """The other store has events of other ids at these versions; or these, and others before."""
    whole = path.with_name("whole.jsonl")
    run("export", store, str(whole))
    begin_export(path, whole, 4)
    if other == "the same versions":
        for number in range(1, 4):
            fill(file, "a-1", event("noted", n=number))
            fill(file, "b-1", event("counted", n=number))
    else:
        fill(file, "c-1", event("another"))
        run("import", str(whole), file)
    outcome = run("export", file, str(path))
    assert (outcome.code, path.exists()) == (1, False)
    assert "is of another store's events: delete it" in outcome.err


@pytest.mark.parametrize("kind", ["file", "url"], ids=["sqlite", "postgresql"])
def test_an_import_where_other_events_are_at_the_same_versions_is_an_error(
    run: Run, store: str, path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    other: str = request.getfixturevalue(kind)
    run("export", store, str(path))
    for stream in ("a-1", "b-1"):
        fill(other, stream, *[event("noted", n=number) for number in range(1, 4)])
    before = facts_in(other)
    outcome = run("import", str(path), other)
    assert (outcome.code, outcome.out) == (1, "")
    assert "a-1" in outcome.err
    assert facts_in(other) == before


def test_an_export_that_was_killed_goes_on(
    run: Run, command: Command, large: str, path: Path
) -> None:
    whole = Path(f"{path}.whole")
    run("export", large, str(whole))
    partial = Path(f"{path}.partial")
    process = subprocess.Popen(command("export", large, str(path)))  # noqa: S603 - this repository's
    while process.poll() is None and not (partial.exists() and partial.stat().st_size):
        pass  # it ends in any case
    process.kill()
    process.wait()
    assert partial.exists()
    assert run("export", large, str(path)).code == 0
    assert path.read_bytes() == whole.read_bytes()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let nobody else write into an SQLite file while the block runs."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


def test_ctrl_c_leaves_an_import_whole_and_says_how_to_go_on(
    run: Run, command: Command, large: str, path: Path
) -> None:
    run("export", large, str(path))
    copy = f"{large}.copy"
    run("migrate", copy)
    # So it is in the middle of its work, however fast or slow the machine is.
    with locked(Path(copy.removeprefix("sqlite:///"))):
        terminal = Terminal(command("import", str(path), f"{copy}?busy_timeout=60"))
        terminal.read_until("importing")
        terminal.interrupt()
    assert terminal.finish() == 130
    assert "the same command goes on" in without_styles(terminal.shown)
    assert run("import", str(path), copy).code == 0
    assert facts_in(copy) == facts_in(large)


def test_a_file_that_changes_between_check_and_import_is_an_error(
    run: Run, store: str, file: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked_and_cut(path: Path, on_bytes: Callable[[int], None]) -> Summary:
        summary = checked(path, on_bytes)
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
        return summary

    run("export", store, str(path))
    monkeypatch.setattr(_import, "checked", checked_and_cut)
    outcome = run("import", str(path), file)
    assert outcome.code == 1
    assert "was changed" in outcome.err


def test_a_folder_is_refused_before_anything_is_written(
    run: Run, store: str, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    outcome = run("export", store, str(folder), "--force")
    assert outcome.code == 1
    assert "give the path of a file" in outcome.err
    assert list(tmp_path.iterdir()) == [folder]


def test_the_real_log_comes_back_from_postgresql_as_it_went_there(
    run: Run, file: str, url: str, path: Path
) -> None:
    if not REAL.exists():
        pytest.skip(f"the real log is not at {REAL}: name it with PERMITS_CSV")
    program = [sys.executable, str(EXAMPLES / "permits.py"), str(REAL), "--store", file]
    subprocess.run(program, check=True, capture_output=True)  # noqa: S603 - this repository's
    assert json.loads(run("export", file, str(path), "--json").out)["events"] == 8577
    assert json.loads(run("import", str(path), url, "--json").out)["written"] == 8577
    run("export", url, f"{path}.back")
    assert Path(f"{path}.back").read_bytes() == path.read_bytes()
