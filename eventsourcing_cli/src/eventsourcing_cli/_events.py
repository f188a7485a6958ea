"""Events, written for people, for pipes, and as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from eventsourcing_cli._escape import escaped
from eventsourcing_core import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core import RecordedEvent

    Write = Callable[[RecordedEvent[Any]], None]

_serialize = JsonSerializer().serialize
_highlighted = JSONHighlighter()


def writer(*, as_json: bool, of_one_stream: bool) -> Write:
    """Give what writes an event to the standard output, in the form that its reader wants."""
    if as_json:
        return _write_json
    if sys.stdout.isatty():
        return _for_people(Console(highlight=False), of_one_stream=of_one_stream)
    return _write_line_of_stream if of_one_stream else _write_line


def fields_of(event: RecordedEvent[Any]) -> dict[str, object]:
    """Give what an event is wherever it is kept: all but its position; tags, if it has any."""
    tags = {"tags": sorted(event.tags)} if event.tags else {}
    return {
        "stream_id": event.stream_id,
        "version": event.version,
        "event_id": str(event.event_id),
        "event_type": event.event_type,
        "timestamp": event.timestamp.isoformat(),
        "data": event.data,
        "metadata": dict(event.metadata),
        **tags,
    }


def _write_json(event: RecordedEvent[Any]) -> None:
    line = json_text({"position": event.position} | fields_of(event))
    sys.stdout.write(f"{line}\n")


def _write_line_of_stream(event: RecordedEvent[Any]) -> None:
    write_columns(event.version, event.position, *_what(event))


def _write_line(event: RecordedEvent[Any]) -> None:
    write_columns(event.position, event.stream_id, event.version, *_what(event))


def _what(event: RecordedEvent[Any]) -> tuple[str, ...]:
    data, metadata = json_text(event.data), json_text(dict(event.metadata))
    tags = (json_text(sorted(event.tags)),) if event.tags else ()
    return event.timestamp.isoformat(), event.event_type, data, metadata, *tags


def write_columns(*columns: object) -> None:
    """Write a line of columns with tabs between them, for the program behind a pipe."""
    # Escaped, no column has a tab.
    sys.stdout.write("\t".join(escaped(str(column)) for column in columns) + "\n")


def _for_people(console: Console, *, of_one_stream: bool) -> Write:
    """Give what writes an event as a few lines under each other.

    No table: its columns would be as wide as the widest event, so nothing could be shown before all
    is read; and on a narrow terminal no room would be left for the data.
    """

    def write(event: RecordedEvent[Any]) -> None:
        number = str(event.version if of_one_stream else event.position)
        place = f"position {event.position}" if of_one_stream else f"version {event.version}"
        head = Text.assemble((escaped(event.event_type), "bold"), "  ")
        if not of_one_stream:
            head.append(f"{escaped(event.stream_id)}  ", "cyan")
        head.append(f"{place}  {event.timestamp:%Y-%m-%dT%H:%M:%S.%f}Z", "dim")
        width = console.width - len(number.rjust(4)) - 2
        rows = Table.grid(padding=(0, 2, 0, 0))
        rows.add_column(justify="right", min_width=4, no_wrap=True, style="green")
        rows.add_column(overflow="fold")
        rows.add_row(number, head)
        rows.add_row("", _shown(event.data, width))
        if event.metadata:
            rows.add_row("", Text("metadata ", "dim") + _shown(dict(event.metadata), width - 9))
        if event.tags:
            rows.add_row("", Text("tags ", "dim") + Text(escaped(", ".join(sorted(event.tags)))))
        console.print(rows)

    return write


def _shown(tree: object, width: int) -> Text:
    """Give a value as JSON on one line if that fits, else on as many as it has parts."""
    known = json.loads(json_text(tree))
    line = escaped(json.dumps(known, ensure_ascii=False))
    if cell_len(line) > width:
        line = "\n".join(map(escaped, json.dumps(known, ensure_ascii=False, indent=2).split("\n")))
    text = Text(line)
    _highlighted.highlight(text)
    return text


def json_text(tree: object) -> str:
    """Give the JSON form of a value, as the serializer ``json`` stores it, safe for terminals."""
    return escaped(_serialize(tree).decode())
