"""Tags in what the command shows, and in the file of an export."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    checked,
    event_of,
)
from eventsourcing_cli._lines import rows_of
from eventsourcing_core import Event, EventCodec, EventTypes, RecordedEvent
from tests.eventsourcing_cli._stores import NOON, event, events_in, fill

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Run

ARCHIVES = Path(__file__).with_name("archives")
CODEC = EventCodec("json", event_types=EventTypes())


def tagged(number: int, *tags: str) -> Event[dict[str, object]]:
    return Event(
        "noted", {"n": number}, event_id=UUID(int=number), timestamp=NOON, tags=frozenset(tags)
    )


@pytest.fixture
def store(memory: str) -> str:
    """Give a store with events in two streams, most of which have tags."""
    fill(memory, "a-1", tagged(1, "course:1"), tagged(2))
    fill(memory, "b-1", tagged(3, "student:9", "course:1"), tagged(4, "student:9"))
    fill(memory, "a-1", tagged(5, "course:1", "student:9"))
    return memory


def numbers(out: str) -> list[int]:
    return [json.loads(line)["data"]["n"] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tag", "course:1"], [1, 3, 5]),
        (["--tag", "course:1", "--tag", "student:9"], [3, 5]),
        (["--tag", "course:1", "--tag", "course:1"], [1, 3, 5]),
        (["--tag", "student:9", "--backward", "--limit", "2"], [5, 4]),
    ],
)
def test_show_gives_the_events_that_have_all_the_tags(
    run: Run, store: str, options: list[str], expected: list[int]
) -> None:
    found = run("show", store, "--json", *options)
    assert (found.code, numbers(found.out)) == (0, expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tag", "course:1"], [1, 3, 5]),
        (["--tag", "course:1", "--tag", "student:9"], [3, 5]),
        (["--tag", "student:9", "--prefix", "b-"], [3, 4]),
        (["--tag", "student:9", "-n", "1"], [5]),
        (["--tag", "student:9", "--after", "3"], [4, 5]),
        (["--tag", "student:9", "--type", "counted"], []),
    ],
)
def test_tail_gives_the_events_that_have_all_the_tags(
    run: Run, store: str, options: list[str], expected: list[int]
) -> None:
    found = run("tail", store, "--json", *options)
    assert (found.code, numbers(found.out)) == (0 if expected else 3, expected)


def test_an_event_in_json_has_its_tags_sorted_if_it_has_any(run: Run, store: str) -> None:
    lines = [json.loads(line) for line in run("tail", store, "--json").out.splitlines()]
    assert [line.get("tags") for line in lines] == [
        ["course:1"],
        None,
        ["course:1", "student:9"],
        ["student:9"],
        ["course:1", "student:9"],
    ]


def test_in_a_pipe_tags_are_one_more_column(run: Run, store: str) -> None:
    assert run("show", store, "a-1").out.splitlines() == [
        '1\t1\t2026-11-25T12:00:00+00:00\tnoted\t{"n":1}\t{}\t["course:1"]',
        '2\t2\t2026-11-25T12:00:00+00:00\tnoted\t{"n":2}\t{}',
        '3\t5\t2026-11-25T12:00:00+00:00\tnoted\t{"n":5}\t{}\t["course:1","student:9"]',
    ]
    assert run("show", store, "--tag", "course:1", "--limit", "1").out.splitlines() == [
        '1\ta-1\t1\t2026-11-25T12:00:00+00:00\tnoted\t{"n":1}\t{}\t["course:1"]'
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either a STREAM or a --tag"),
        (["a-1", "--tag", "x"], "give either a STREAM or a --tag"),
        (["--tag", "x", "--from", "2"], "leave them out with --tag"),
        (["--tag", "x", "--to", "2"], "leave them out with --tag"),
    ],
)
def test_what_does_not_go_together_is_refused(
    run: Run, store: str, arguments: list[str], said: str
) -> None:
    found = run("show", store, *arguments)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_a_tag_that_is_none_is_refused(run: Run, store: str) -> None:
    for command in ("show", "tail"):
        found = run(command, store, "--tag", "")
        assert (found.code, found.out) == (1, "")
        assert "invalid tag" in found.err


def test_tags_that_no_event_has_are_nothing_found(run: Run, store: str) -> None:
    found = run("show", store, "--tag", "nobody")
    assert (found.code, found.out) == (3, "")
    assert "no such events in this store" in found.err


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_an_export_and_an_import_keep_tags(
    run: Run, store: str, tmp_path: Path, serializer: str
) -> None:
    path = tmp_path / "tags.jsonl"
    copy = f"sqlite:///{tmp_path}/copy.db"
    assert run("export", store, str(path)).code == 0
    assert run("import", str(path), copy, "--serializer", serializer).code == 0
    tags = [(event.stream_id, event.version, event.tags) for event in events_in(store)]
    assert [(each.stream_id, each.version, each.tags) for each in events_in(copy)] == tags
    assert numbers(run("show", copy, "--json", "--tag", "course:1").out) == [1, 3, 5]

    again = tmp_path / "again.jsonl"
    assert run("export", copy, str(again)).code == 0
    assert again.read_bytes() == path.read_bytes()


def test_the_last_line_of_an_export_says_how_many_events_have_tags(
    run: Run, store: str, tmp_path: Path
) -> None:
    path = tmp_path / "tags.jsonl"
    run("export", store, str(path))
    *_, last = path.read_text("utf-8").splitlines()
    assert [*json.loads(last)] == ["events", "sha256", "tagged"]
    assert json.loads(last)["tagged"] == 4


def test_an_export_without_tags_says_nothing_of_them(run: Run, memory: str, tmp_path: Path) -> None:
    fill(memory, "a-1", event(n=1), event(list=[]))
    path = tmp_path / "plain.jsonl"
    run("export", memory, str(path))
    assert "tag" not in path.read_text("utf-8")


def test_an_export_that_was_interrupted_counts_the_tags_from_its_beginning(
    run: Run, store: str, tmp_path: Path
) -> None:
    whole, path = tmp_path / "whole.jsonl", tmp_path / "tags.jsonl"
    run("export", store, str(whole))
    lines = whole.read_bytes().splitlines(keepends=True)
    path.with_name("tags.jsonl.partial").write_bytes(b"".join(lines[:4]) + lines[4][:20])
    assert run("export", store, str(path)).code == 0
    assert path.read_bytes() == whole.read_bytes()


def test_a_number_of_tagged_events_that_is_wrong_is_found(
    run: Run, store: str, tmp_path: Path
) -> None:
    path = tmp_path / "tags.jsonl"
    run("export", store, str(path))
    path.write_bytes(path.read_bytes().replace(b'"tagged":4', b'"tagged":3'))
    with pytest.raises(ArchiveError, match="checksum"):
        checked(path)


@pytest.mark.parametrize(
    "tags", ['["a","a"]', '[""]', "[1]", '"course:1"', '{"a":1}', '["a\\u0007b"]', "null"]
)
@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_a_line_with_tags_that_are_none_is_refused(
    run: Run, memory: str, tmp_path: Path, tags: str, serializer: str
) -> None:
    head, line, _ = ARCHIVES.joinpath("tagged.jsonl").read_bytes().splitlines(keepends=True)[:3]
    begin, _, _ = line.partition(b',"tags":')
    path = tmp_path / "tags.jsonl"
    path.write_bytes(sealed(head, b'%b,"tags":%b}\n' % (begin, tags.encode())))
    found = run("import", str(path), memory, "--serializer", serializer)
    assert (found.code, found.out) == (1, "")
    assert "tag" in found.err
    assert events_in(memory) == []


def sealed(header: bytes, line: bytes) -> bytes:
    """Give an archive of one line, with the right checksum."""
    tagged = {"tagged": 1} if line.endswith(b"]}\n") else {}
    facts = {"events": 1, "sha256": sha256(header + line).hexdigest(), **tagged}
    return header + line + json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def recorded(number: int, *tags: str, metadata: dict[str, str] | None) -> RecordedEvent[object]:
    return RecordedEvent(
        "thing.happened",
        {"number": number, "list": [1, [2]]},
        stream_id="thing-1",
        version=number,
        position=number,
        event_id=UUID(int=number),
        timestamp=NOON,
        metadata=metadata,
        tags=tags,
    )


FROZEN = {
    "plain": [recorded(1, metadata=None), recorded(2, metadata={"by": "Zoë"})],
    "tagged": [
        recorded(1, "course:1", metadata=None),
        recorded(2, metadata={"by": "Zoë"}),
        recorded(3, "Zoë 漢 🎉", 'a"b\\]}', "student:9", metadata={"by": "Zoë"}),
    ],
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_file_of_long_ago_is_read_as_it_was_and_written_as_it_was(
    tmp_path: Path, name: str
) -> None:
    kept = ARCHIVES / f"{name}.jsonl"  # never changed
    _, *lines, _ = kept.read_bytes().splitlines(keepends=True)
    assert checked(kept).events == len(lines)
    assert [event_of(line, n, kept) for n, line in enumerate(lines, start=2)] == FROZEN[name]
    assert [*CODEC.decode(rows_of(2, b"".join(lines)) or [])] == FROZEN[name]

    path = tmp_path / "now.jsonl"
    with PartialArchive(path, Selection()) as archive:
        for each in FROZEN[name]:
            archive.write(each)
        archive.finish()
    assert path.read_bytes() == kept.read_bytes()
