"""The file of an export: what is in it, that it is whole, and how an interrupted one goes on."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_cli import _archive
from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    Summary,
    checked,
    event_of,
    line_of,
    lines_in,
)
from eventsourcing_cli._lock import is_locked_by_us
from eventsourcing_core import RecordedEvent

if TYPE_CHECKING:
    from typing import BinaryIO

EVERYTHING = Selection()


def recorded(number: int, data: object = None) -> RecordedEvent[object]:
    return RecordedEvent(
        "thing.happened",
        {"number": number} if data is None else data,
        stream_id=f"thing-{number % 2}",
        version=(number + 1) // 2,
        position=number,
        event_id=UUID(int=number),
        timestamp=datetime(2026, 11, 25, 12, 0, number, tzinfo=UTC),
        metadata={"user": "Zoë"} if number % 3 == 0 else None,
    )


def exported(path: Path, *events: RecordedEvent[object]) -> Summary:
    with PartialArchive(path, EVERYTHING) as archive:
        for event in events:
            archive.write(event)
        return archive.finish()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_line_is_an_event_that_other_programs_can_read(path: Path) -> None:
    exported(path, recorded(3))
    assert json.loads(path.read_text("utf-8").splitlines()[1]) == {
        "stream_id": "thing-1",
        "version": 2,
        "event_type": "thing.happened",
        "event_id": str(UUID(int=3)),
        "timestamp": "2026-11-25T12:00:03+00:00",
        "data": {"number": 3},
        "metadata": {"user": "Zoë"},
    }


def test_the_last_line_holds_the_checksum_of_those_above(path: Path) -> None:
    exported(path, recorded(1), recorded(2))
    *lines, last = path.read_bytes().splitlines(keepends=True)
    assert json.loads(last) == {"events": 2, "sha256": sha256(b"".join(lines)).hexdigest()}


def test_events_come_back_as_they_were(path: Path) -> None:
    data = {"amount": Decimal("0.10"), "$odd": [b"\x00", UUID(int=7)], "text": "a\nb\u2028"}
    events = [recorded(1, data), recorded(2, {"list": ["a"]}), recorded(3)]
    summary = exported(path, *events)
    ((first, lines),) = lines_in(path, summary)
    numbered = enumerate(lines.splitlines(keepends=True), first)
    assert [event_of(line, n, path) for n, line in numbered] == events


def test_a_whole_archive_is_found_whole(path: Path) -> None:
    summary = exported(path, *map(recorded, range(1, 50)))
    seen: list[int] = []
    assert checked(path, seen.append) == summary == Summary(49, summary.sha256)
    assert sum(seen) == path.stat().st_size


@pytest.mark.parametrize("size", [1, 190, 200, 1000, 10_000])
def test_lines_are_read_many_at_once_and_none_is_lost(
    path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = exported(path, *map(recorded, range(1, 50)))
    monkeypatch.setattr(_archive, "_BLOCK", size)
    seen: list[int] = []
    assert checked(path, seen.append) == summary
    assert sum(seen) == path.stat().st_size
    blocks = [*lines_in(path, summary)]
    assert (
        b"".join(lines for _, lines in blocks).splitlines() == path.read_bytes().splitlines()[1:-1]
    )
    number = 2
    for first, lines in blocks:
        assert first == number
        assert lines.endswith(b"\n")
        number += lines.count(b"\n")


def test_an_archive_without_events_is_whole(path: Path) -> None:
    summary = exported(path)
    assert checked(path) == summary == Summary(0, summary.sha256)
    assert list(lines_in(path, summary)) == []


@pytest.mark.parametrize("place", ["header", "event", "summary"])
def test_a_changed_byte_is_found(path: Path, place: str) -> None:
    exported(path, recorded(1), recorded(2))
    lines = path.read_bytes().splitlines(keepends=True)
    number = {"header": 0, "event": 1, "summary": -1}[place]
    lines[number] = lines[number].replace(b"a", b"b", 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(ArchiveError, match=r"no archive|checksum|no end"):
        checked(path)


@pytest.mark.parametrize("drop", [1, 2, 3])
def test_a_missing_line_is_found(path: Path, drop: int) -> None:
    exported(path, recorded(1), recorded(2))
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[drop]
    path.write_bytes(b"".join(lines))
    with pytest.raises(ArchiveError, match="checksum" if drop < 3 else "has no end"):
        checked(path)


@pytest.mark.parametrize("more", [b"\n", b'{"stream_id":"x"}\n'])
def test_something_after_the_end_is_found(path: Path, more: bytes) -> None:
    exported(path, recorded(1))
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(ArchiveError, match="checksum"):
        checked(path)


@pytest.mark.parametrize("text", ["", "[]\n", "no json\n", "{}\n", "\xff"])
def test_another_file_is_no_archive(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ArchiveError, match="no archive of events"):
        checked(path)


def test_an_archive_of_a_later_format_asks_for_an_upgrade(path: Path) -> None:
    exported(path)
    path.write_text(path.read_text("utf-8").replace('_version":1', '_version":2'), "utf-8")
    with pytest.raises(ArchiveError, match="format version 2.*upgrade"):
        checked(path)


def test_an_archive_of_some_types_is_not_for_importing(path: Path) -> None:
    with PartialArchive(path, Selection(event_types=("a",))) as archive:
        archive.finish()
    with pytest.raises(ArchiveError, match="without --type"):
        checked(path)


def test_a_line_that_is_no_event_is_named(path: Path) -> None:
    summary = exported(path, recorded(1), recorded(2))
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":0', 1))
    number, lines = next(lines_in(path, summary))
    line = lines.splitlines()[0]
    with pytest.raises(ArchiveError, match="line 2 is no event.*count from 1"):
        event_of(line, number, path)


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [("data", "[1]", "list"), ("data", '"a"', "str"), ("metadata", "[]", "list")],
)
def test_a_line_whose_data_are_no_object_says_so(
    field: str, value: str, kind: str, path: Path
) -> None:
    summary = exported(path, recorded(1))
    line = next(line for _, line in lines_in(path, summary))
    changed = re.sub(rf'"{field}":\{{.*?\}}'.encode(), f'"{field}":{value}'.encode(), line, count=1)
    assert changed != line
    said = f"line 2 is no event.*{field} is an object of JSON, found {kind}"
    with pytest.raises(ArchiveError, match=said):
        event_of(changed, 2, path)


@pytest.mark.parametrize("change", ["an event", "the end"])
def test_a_change_after_the_check_is_found(path: Path, change: str) -> None:
    summary = exported(path, recorded(1), recorded(2))
    whole = path.read_bytes()
    changed = {
        "an event": whole.replace(b'"number":2', b'"number":9'),
        "the end": b"".join(whole.splitlines(keepends=True)[:2]),
    }[change]
    path.write_bytes(changed)
    with pytest.raises(ArchiveError, match="changed while it was imported"):
        list(lines_in(path, summary))


def test_what_cannot_be_read_twice_is_refused() -> None:
    with pytest.raises(ArchiveError, match="a pipe or a device"):
        checked(Path(os.devnull))


def test_nothing_has_the_archives_name_before_it_is_whole(path: Path) -> None:
    with PartialArchive(path, EVERYTHING) as archive:
        archive.write(recorded(1))
        assert not path.exists()
        assert archive.partial.exists()
        archive.finish()
    assert path.exists()
    assert not archive.partial.exists()


@pytest.mark.parametrize("lost", [0, 1, 40])
def test_an_interrupted_export_goes_on_after_its_last_whole_line(path: Path, lost: int) -> None:
    events = [recorded(number) for number in range(1, 8)]
    whole = path.with_name("whole.jsonl")
    summary = exported(whole, *events)
    with PartialArchive(path, EVERYTHING) as archive:
        for event in events[:4]:
            archive.write(event)
    cut = archive.partial.read_bytes()
    archive.partial.write_bytes(cut[: len(cut) - lost])
    with PartialArchive(path, EVERYTHING) as archive:
        there = archive.events
        assert there == (4 if lost == 0 else 3)
        comparison = archive.comparing()
        assert not comparison.is_equal
        for event in events[:there]:
            comparison.add(line_of(event))
        assert comparison.is_equal
        for event in events[there:]:
            archive.write(event)
        assert archive.finish() == summary
    assert path.read_bytes() == whole.read_bytes()


def test_an_export_that_was_cut_in_its_last_line_goes_on(path: Path) -> None:
    with PartialArchive(path, EVERYTHING) as archive:
        archive.write(recorded(1))
        summary = archive.finish()
    path.rename(archive.partial)
    with PartialArchive(path, EVERYTHING) as archive:
        assert archive.events == 1
        assert archive.finish() == summary


def test_an_export_of_other_events_does_not_go_on(path: Path) -> None:
    with PartialArchive(path, Selection(stream_prefix="a")) as archive:
        archive.write(recorded(1))
    before = archive.partial.read_bytes()
    with (
        pytest.raises(ArchiveError, match="of another export"),
        PartialArchive(path, Selection(stream_prefix="b")),
    ):
        pass
    assert archive.partial.read_bytes() == before


def test_what_json_has_no_form_for_is_named(path: Path) -> None:
    with (
        PartialArchive(path, EVERYTHING) as archive,
        pytest.raises(ArchiveError, match="'thing-1' version 1 cannot be written as JSON"),
    ):
        archive.write(recorded(1, {1: "an int as key"}))


@pytest.mark.parametrize("text", ["mine, without a line end", "mine\n", '{"events":"mine"}\n'])
def test_a_file_of_somebody_else_at_the_partial_place_is_left_alone(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    with (
        pytest.raises(ArchiveError, match="of another export"),
        PartialArchive(path, EVERYTHING),
    ):
        pass
    assert partial.read_text() == text


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")
def test_two_exports_at_once_do_not_write_one_file(path: Path) -> None:
    with PartialArchive(path, EVERYTHING) as archive:
        archive.write(recorded(1))
        with (
            pytest.raises(ArchiveError, match="another export is writing"),
            PartialArchive(path, EVERYTHING),
        ):
            pass
        summary = archive.finish()
    assert checked(path) == summary


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
@pytest.mark.parametrize("is_begun_anew", [False, True])
def test_an_export_that_begins_while_another_finishes_leaves_its_file_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, is_begun_anew: bool
) -> None:
    """It opens the file while that is unfinished, and looks for the lock when it is finished."""
    with PartialArchive(path, EVERYTHING) as first:
        first.write(recorded(1))
        partial = first.partial

        def finish_and_look(file: BinaryIO, name: Path) -> bool:
            first.finish()
            if is_begun_anew:  # by a third one, which was stopped
                partial.write_bytes(path.read_bytes())
            return is_locked_by_us(file, name)

        monkeypatch.setattr(_archive, "is_locked_by_us", finish_and_look)
        with (
            pytest.raises(ArchiveError, match="another export is writing"),
            PartialArchive(path, EVERYTHING) as second,
        ):
            second.write(recorded(2))
    assert checked(path).events == 1


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_a_file_stays_locked_until_it_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    replace = Path.replace

    def let_another_try(partial: Path, target: Path) -> Path:
        with pytest.raises(ArchiveError, match="another export"):
            PartialArchive(path, EVERYTHING).__enter__()
        refused.append(partial.name)
        return replace(partial, target)

    with PartialArchive(path, EVERYTHING) as archive:
        archive.write(recorded(1))
        monkeypatch.setattr(Path, "replace", let_another_try)
        archive.finish()
    assert refused == [archive.partial.name]
    assert checked(path).events == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be synced there")
def test_a_file_is_on_the_disk_before_it_has_its_name_and_so_is_the_name_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int | None]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        found = os.fstat(descriptor)
        for each in (path, archive.partial, path.parent):
            if each.exists() and os.path.samestat(each.stat(), found):
                size = None if each == path.parent else found.st_size
                synced.append((each.name, size))
        fsync(descriptor)

    with PartialArchive(path, EVERYTHING) as archive:
        archive.write(recorded(1))
        monkeypatch.setattr(os, "fsync", note)
        archive.finish()
    whole = path.stat().st_size
    assert synced == [(archive.partial.name, whole), (path.parent.name, None)]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_an_export_that_has_just_finished_is_not_written_into(path: Path) -> None:
    """The second one opened the file before it got its name, and locked it after."""
    exported(path, recorded(1))
    with path.open("a+b") as file:
        assert not is_locked_by_us(file, path.with_name(f"{path.name}.partial"))
