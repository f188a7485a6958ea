"""Lines of an archive as rows: the bytes that a store keeps must be read as what the line says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    event_of,
    lines_in,
)
from eventsourcing_cli._archive import line_of as line_of_event
from eventsourcing_cli._lines import lines_of, rows_of
from eventsourcing_core import EventCodec, EventTypes, JsonSerializer, RecordedEvent
from eventsourcing_core.stores import Columns, Row

SCALARS: Any = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
)
KEYS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["$uuid", "$$", "$"])
TREES: Any = st.recursive(
    SCALARS, lambda trees: st.lists(trees) | st.dictionaries(KEYS, trees), max_leaves=10
)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
EVENTS = st.builds(
    RecordedEvent[Any],
    NAMES,
    st.dictionaries(KEYS, TREES),
    stream_id=NAMES,
    version=st.integers(1, 2**63 - 1),
    position=st.just(1),
    event_id=st.uuids(),
    timestamp=st.datetimes(timezones=st.just(UTC)),
    metadata=st.dictionaries(KEYS, SCALARS),
    tags=st.frozensets(NAMES, max_size=3),
)

HERE = Path("events.jsonl")
EVENT = RecordedEvent(
    "thing.happened",
    {"number": 1},
    stream_id="thing-1",
    version=1,
    position=1,
    event_id=UUID(int=7),
    timestamp=datetime(2026, 11, 25, tzinfo=UTC),
)
BEFORE = (
    b'{"stream_id":"thing-0","version":1,"event_id":"00000000-0000-0000-0000-000000000000",'
    b'"event_type":"thing.happened","timestamp":"2026-11-25T00:00:00+00:00",'
    b'"data":{"number":0},"metadata":{"by":"Alice"}}\n'
)
ROW = Row(
    "thing-0",
    1,
    1,
    "thing.happened",
    b'{"number":0}',
    None,
    "json",
    bytes(16),
    round(datetime(2026, 11, 25, tzinfo=UTC).timestamp()) * 1_000_000,
)


def row_of(line: bytes) -> Row | None:
    """Give the row of one line, after another one that needs no closer look."""
    rows = rows_of(1, BEFORE + line)
    if rows is None:
        return None
    before, row = rows
    assert before.event_id == bytes(16)
    return row


def line_of(folder: Path, event: RecordedEvent[Any]) -> bytes:
    path = folder / "events.jsonl"
    path.with_name("events.jsonl.partial").unlink(missing_ok=True)
    with PartialArchive(path, Selection()) as archive:
        archive.write(event)
        summary = archive.finish()
    ((_, line),) = lines_in(path, summary)
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines")


@settings(deadline=None)
@given(event=EVENTS)
def test_a_row_is_what_the_store_would_write_of_the_event(
    folder: Path, event: RecordedEvent[Any]
) -> None:
    line = line_of(folder, event)
    row = row_of(line)
    if row is None:  # nothing is said about it
        return
    codec = EventCodec("json", event_types=EventTypes())
    made = event_of(line, 2, HERE)
    encoded = codec.encode(made)
    assert row == (made.stream_id, made.version, made.position, *encoded)
    assert [*codec.decode([row])] == [made]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"number": 1, "text": 'Zoë\n"quoted" \\ {[', "more": [{}, [1.5]]}, id="plain"),
        pytest.param({"id": UUID(int=7), "amount": Decimal("0.10"), "$odd": 1}, id="tags"),
        pytest.param({"took": timedelta(1), '","metadata":{}': {}}, id="like the end"),
    ],
)
def test_a_line_of_an_export_is_a_row(folder: Path, data: object) -> None:
    event = RecordedEvent(
        "thing.happened", data, stream_id="thing-ß", version=3, position=1, metadata={"by": "Zoë"}
    )
    row = row_of(line_of(folder, event))
    assert row is not None
    assert row.data == JsonSerializer().serialize(data)


@pytest.mark.parametrize(
    ("found", "put"),
    [
        pytest.param(b'{"number":1}', b'{"number":1]', id="no JSON"),
        pytest.param(b'{"number":1}', b'{"number":1}}', id="more than JSON"),
        pytest.param(b'{"number":1}', b'{"number":1},"data":{}', id="twice"),
        pytest.param(b'{"number":1}', b'{"$uuid":"1"}', id="a tag without a value"),
        pytest.param(b'{"number":1}', b'{"a":{"$odd":"1"}}', id="an unknown tag"),
        pytest.param(b'{"number":1}', b'{"a":{"\\u0024odd":"1"}}', id="a hidden tag"),
        pytest.param(b'{"number":1}', b'{"a":"\\ud800"}', id="half of a pair"),
        pytest.param(b'{"number":1}', b'{"a":"\xff"}', id="no UTF-8"),
        pytest.param(b'{"number":1}', b'{"a":' + b"[" * 250 + b"]" * 250 + b"}", id="deep"),
        pytest.param(
            b'{"number":1}', b'{"$uuid":"00000000-0000-0000-0000-000000000007"}', id="no dict"
        ),
        pytest.param(b'"metadata":{}', b'"metadata":{"a"}', id="metadata"),
        pytest.param(b'"version":1', b'"version":0', id="version"),
        pytest.param(b'"version":1', b'"version":1.0', id="no whole version"),
        pytest.param(b"2026-11-25", b"2026-11-31", id="no date"),
        pytest.param(b"+00:00", b"", id="no zone"),
        pytest.param(b'"thing-1"', b'"thing\x00"', id="control character"),
        pytest.param(b"-000000000007", b"-00000000000g", id="event id"),
        pytest.param(b"}\n", b"} \n", id="space"),
    ],
)
def test_any_other_line_needs_a_closer_look(folder: Path, found: bytes, put: bytes) -> None:
    line = line_of(folder, EVENT)
    assert row_of(line) is not None
    assert found in line
    assert row_of(line.replace(found, put)) is None


@given(events=st.lists(EVENTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_rows_are_the_lines_of_their_events(events: list[RecordedEvent[Any]]) -> None:
    codec = EventCodec("json", event_types=EventTypes())
    rows = [
        Row(event.stream_id, event.version, event.position, *codec.encode(event))
        for event in events
    ]
    lines = lines_of(rows)
    if lines is not None:  # else nothing is said about them
        assert lines == b"".join(map(line_of_event, codec.decode(rows)))
    assert lines_of(Columns(*zip(*rows, strict=True))) == lines


def test_rows_that_the_store_has_written_are_lines() -> None:
    rows = [ROW, ROW._replace(stream_id='"ß"\\', data='{"a":["Zoë",1.5,{}]}'.encode(), timestamp=7)]
    lines = lines_of([*rows, ROW._replace(metadata=b'{"by":"Alice"}')])
    assert lines is not None
    assert lines.splitlines(keepends=True)[::2] == [
        BEFORE.replace(b'{"by":"Alice"}', b"{}"),
        BEFORE,
    ]
    assert b'00:00:00.000007+00:00","data":{"a":["Zo\xc3\xab",1.5,{}]}' in lines


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(ROW._replace(encoding="msgpack"), id="encoding"),
        pytest.param(ROW._replace(data=b'{"number": 0}'), id="space"),
        pytest.param(ROW._replace(data=b'{"number":1e2}'), id="number"),
        pytest.param(ROW._replace(data=b'{"a":"\\u00e9"}'), id="escape"),
        pytest.param(ROW._replace(data=b'{"a":1,"a":1}'), id="twice"),
        pytest.param(ROW._replace(data=b'{"$uuid":"x"}'), id="tag"),
        pytest.param(ROW._replace(data=b"[1]"), id="no dict"),
        pytest.param(ROW._replace(data=b'{"a":['), id="no JSON"),
        pytest.param(ROW._replace(data=b'{"a":"\xff"}'), id="no UTF-8"),
        pytest.param(ROW._replace(data=b'{"a":' + b"[" * 10_000), id="deep"),
        pytest.param(ROW._replace(metadata=b"[1]"), id="metadata"),
        pytest.param(ROW._replace(metadata=b'{"a" :1}'), id="space in metadata"),
    ],
)
def test_any_other_row_needs_a_closer_look(row: Row) -> None:
    assert lines_of([ROW, ROW]) is not None
    assert lines_of([ROW, row, ROW]) is None


def test_lines_are_checked_each_for_itself() -> None:
    def lines(*datas: bytes) -> bytes:
        return b"".join(BEFORE.replace(b'{"number":0}', data) for data in datas)

    assert rows_of(1, lines(b'{"a":[]}', b'{"a":[{},1]}')) is not None
    # What is between two payloads is nobody's, so no payload can end in another one.
    assert rows_of(1, lines(b'{"a":[{}', b"{}]}")) is None
    assert rows_of(1, lines(b'{"a":[{}', b"{}]}", b"{},{}")) is None
    assert rows_of(1, lines(b'{"a":"', b'"}')) is None


def test_rows_count_on_from_the_first_line(folder: Path) -> None:
    rows = rows_of(7, BEFORE + line_of(folder, EVENT) + BEFORE)
    assert rows is not None
    assert [(row.position, row.stream_id) for row in rows] == [
        (6, "thing-0"),
        (7, "thing-1"),
        (8, "thing-0"),
    ]


@pytest.mark.parametrize("lines", [b"", BEFORE[:-1], BEFORE + BEFORE[:-1], BEFORE + b"\n", b"x"])
def test_what_is_no_whole_lines_needs_a_closer_look(lines: bytes) -> None:
    assert rows_of(1, lines) is None


@pytest.mark.parametrize("deep", [100, 101])
def test_a_payload_among_flat_ones_may_not_be_deep(deep: int) -> None:
    data = b'{"a":' + b"[" * (deep - 1) + b"]" * (deep - 1) + b"}"
    lines = BEFORE * 3 + BEFORE.replace(b'{"number":0}', data)
    assert (rows_of(1, lines) is None) == (deep > 100)


TAGGED = RecordedEvent(
    "thing.happened",
    {"number": 1},
    stream_id="thing-1",
    version=1,
    position=1,
    event_id=UUID(int=7),
    timestamp=datetime(2026, 11, 25, tzinfo=UTC),
    tags={"b", "a}]", 'c"'},
)


def test_a_row_has_the_tags_of_the_line(folder: Path) -> None:
    row = row_of(line_of(folder, TAGGED))
    assert row is not None
    assert row.tags == ("a}]", "b", 'c"')


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(b'["b","b"]', id="twice"),
        pytest.param(b'["b",1]', id="a number"),
        pytest.param(b'["b",null]', id="nothing"),
        pytest.param(b'["b"', id="no JSON"),
        pytest.param(b'["b"]]', id="more than JSON"),
        pytest.param(b'{"b":1}', id="an object"),
        pytest.param(b'"b"', id="a text"),
    ],
)
def test_other_tags_need_a_closer_look(folder: Path, put: bytes) -> None:
    head, tags, _ = line_of(folder, TAGGED).partition(b',"tags":')
    assert row_of(head + tags + put + b"}\n") is None
    assert row_of(head + tags + b'["b"]}\n') is not None


def test_a_closer_look_names_the_line() -> None:
    with pytest.raises(ArchiveError, match="line 7 is no event"):
        event_of(b"{}\n", 7, HERE)
