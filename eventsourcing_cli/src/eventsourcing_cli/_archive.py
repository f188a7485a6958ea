"""Archives: the events of a store as JSON lines, with a checksum.

The first line says what the file is and what was selected, each line after it is one event, and the
last one counts the events and gives the SHA-256 of all lines above it::

    {"format":"eventsourcing-archive","format_version":1,"event_types":null,"stream_prefix":null}
    {"stream_id":"account-42","version":1,"event_id":"…","event_type":"account.opened", …}
    {"events":1,"sha256":"…"}

An event's line has no position: each store gives its own. So the archives of two stores that hold
the same events in the same order are the same bytes. ``data`` and ``metadata`` are as the
serializer ``json`` writes them, whatever they are stored with.

An event with tags has ``tags`` after them, sorted, and the last line counts such events as
``tagged``. So a program from before there were tags refuses the archive, and does not leave them
out; an archive without any is as it always was.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from eventsourcing_cli._lines import listed_tags
from eventsourcing_cli._lock import is_locked_by_us, sync_names_in
from eventsourcing_core import EventSourcingError, JsonSerializer, RecordedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

_FORMAT = "eventsourcing-archive"
_VERSION = 1
_END = b'{"events":'
"""What the last line begins with, and no other."""
_BLOCK = 64 * 1024  # bytes that are read at once, and the rest of their last line
_TAGGED_END = b"]}\n"  # without tags, the object of the metadata comes last
_json = JsonSerializer()


class ArchiveError(EventSourcingError):
    """A file is no archive, is damaged or incomplete, or does not fit what is asked for."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of a store are meant."""

    event_types: tuple[str, ...] | None = None
    """Only these types; None: all."""
    stream_prefix: str | None = None
    """Only streams whose ids begin so; None: all."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole archive holds."""

    events: int
    """Their number."""
    sha256: str
    """The checksum of all lines but the last, hexadecimal."""
    tagged: int = 0
    """How many of them have tags."""


class PartialArchive:
    """An archive that is being written, beside its place and under the name ``….partial``.

    ``finish`` completes it and gives it its name. Until then the same export can go on with it.

    Args:
        path: Where the archive will be.
        selection: What it will hold.
    """

    def __init__(self, path: Path, selection: Selection) -> None:
        self._path = path
        self.partial: Path = path.with_name(f"{path.name}.partial")
        """The file until it is finished."""
        self._selection = selection
        self._hash = sha256()
        self.events: int = 0
        """How many are in it."""
        self._tagged = 0
        self._file: BinaryIO

    def __enter__(self) -> Self:
        # It makes a file that is missing, and leaves one that is there as it is.
        self._file = self.partial.open("a+b")
        try:
            self._check_alone()
            self._go_on()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, event: RecordedEvent[Any]) -> None:
        """Add an event.

        Raises:
            ArchiveError: JSON has no form for it.
            OSError: The disk is full, or the like.
        """
        self.write_lines(line_of(event))

    def write_lines(self, lines: bytes) -> None:
        """Add the whole lines of some events.

        Raises:
            OSError: The disk is full, or the like.
        """
        self._write(lines)
        self.events += lines.count(b"\n")
        self._tagged += lines.count(_TAGGED_END)

    def comparing(self) -> Comparison:
        """Give what compares a store's events with those that an interrupted export wrote."""
        return Comparison(self._selection, self._hash.digest())

    def finish(self) -> Summary:
        """Write the last line, see that all is on the disk, and give the file its name."""
        summary = Summary(self.events, self._hash.hexdigest(), self._tagged)
        self._write(_summary_line(summary))
        self._file.flush()
        os.fsync(self._file.fileno())
        if sys.platform == "win32":
            self._file.close()  # an open file keeps its name there
        # Elsewhere it is locked until it has its name: nobody goes on with what is finished.
        self.partial.replace(self._path)
        sync_names_in(self._path.parent)
        self._file.close()
        return summary

    def _write(self, lines: bytes) -> None:
        self._hash.update(lines)
        self._file.write(lines)

    def _check_alone(self) -> None:
        """Refuse to write beside another export, and into what that has just finished."""
        if not is_locked_by_us(self._file, self.partial):
            message = f"another export is writing {self.partial}: wait until it has ended"
            raise ArchiveError(message)

    def _go_on(self) -> None:
        """Keep the whole lines that are there, and go on after them; or begin."""
        header = _header_of(self._selection)
        end = 0
        self._file.seek(0)
        for line in self._file:
            if end == 0 and not header.startswith(line):
                message = (
                    f"{self.partial} is of another export, of other events: delete it, or ask for "
                    "the same types and prefix"
                )
                raise ArchiveError(message)
            if not line.endswith(b"\n") or _is_summary(line):
                break
            if end:
                self.events += 1
                self._tagged += line.endswith(_TAGGED_END)
            self._hash.update(line)
            end += len(line)
        self._file.seek(end)
        self._file.truncate()
        if end == 0:
            self._write(header)


class Comparison:
    """Whether the events of a store are those that an archive holds, in the same order.

    Args:
        selection: What the archive holds.
        expected: The digest of its lines.
    """

    def __init__(self, selection: Selection, expected: bytes) -> None:
        self._expected = expected
        self._hash = sha256(_header_of(selection))

    def add(self, lines: bytes) -> None:
        """Take the lines of the next events of the store."""
        self._hash.update(lines)

    @property
    def is_equal(self) -> bool:
        """Whether these are the events of the archive, and all of them."""
        return self._hash.digest() == self._expected


def check_is_file(path: Path) -> None:
    """Refuse what can neither be read twice nor be replaced.

    Raises:
        ArchiveError: It is there, and a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        message = f"{path} is a folder, a pipe or a device: give the path of a file"
        raise ArchiveError(message)


def checked(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Summary:
    """Read a whole archive, and compare it with its checksum.

    Args:
        path: The archive.
        on_bytes: Told how many bytes each line has.

    Raises:
        ArchiveError: It is none, is damaged, has no end, or lacks types of events.
        OSError: It cannot be read.
    """
    check_is_file(path)
    digest = sha256()
    events = tagged = 0
    with path.open("rb") as file:
        header = file.readline()
        _check_header(header, path)
        digest.update(header)
        on_bytes(len(header))
        for lines, rest in _blocks_of(file):
            on_bytes(len(lines) + len(rest))
            digest.update(lines)
            events += lines.count(b"\n")
            tagged += lines.count(_TAGGED_END)
            if rest:
                found = Summary(events, digest.hexdigest(), tagged)
                return _confirmed(found, rest + file.read(1), path)
    message = f"{path} has no end: export again, or copy the whole file"
    raise ArchiveError(message)


def _confirmed(found: Summary, last_line: bytes, path: Path) -> Summary:
    if last_line == _summary_line(found):
        return found
    message = f"{path} does not have the checksum that it says: it was damaged or changed"
    raise ArchiveError(message)


def lines_in(path: Path, summary: Summary) -> Iterator[tuple[int, bytes]]:
    """Give the lines of an archive that was checked, but the first and the last, many at once.

    Args:
        path: The archive.
        summary: What ``checked`` gave for it.

    Yields:
        The number of a line, the first event has 2; and the bytes of that and of those behind it.

    Raises:
        ArchiveError: At the end: what was read is not what was checked.
    """
    digest = sha256()
    number = 2
    with path.open("rb") as file:
        digest.update(file.readline())
        for lines, rest in _blocks_of(file):
            digest.update(lines)
            if lines:
                yield number, lines
            number += lines.count(b"\n")
            if rest:
                break
    if digest.hexdigest() != summary.sha256:
        message = (
            f"{path} was changed while it was imported, so the store may hold events of either: "
            "import the whole file into a new store"
        )
        raise ArchiveError(message)


def _blocks_of(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Give the lines of a file, many at once, and the rest of them where the last line is found."""
    while block := file.read(_BLOCK):
        block += file.readline()
        is_end = block.startswith(_END)
        end = 0 if is_end else block.find(b"\n" + _END) + 1 or len(block)
        yield block[:end], block[end:]


def _header_of(selection: Selection) -> bytes:
    types = None if selection.event_types is None else list(selection.event_types)
    header = {
        "format": _FORMAT,
        "format_version": _VERSION,
        "event_types": types,
        "stream_prefix": selection.stream_prefix,
    }
    return _json.serialize(header) + b"\n"


def _check_header(line: bytes, path: Path) -> None:
    try:
        header = cast("dict[str, object]", _json.deserialize(line))
        is_archive = header.get("format") == _FORMAT
    except (ValueError, AttributeError):
        is_archive = False
        header = {}
    if not is_archive:
        message = f"{path} is no archive of events: give a file that `eventsourcing export` wrote"
    elif header.get("format_version") != _VERSION:
        message = (
            f"{path} has format version {header.get('format_version')}, this version of "
            f"eventsourcing-cli knows {_VERSION}: upgrade eventsourcing-cli"
        )
    elif header.get("event_types") is not None:
        message = (
            f"{path} holds some types of events only, so its streams have holes: export without "
            "--type what is to be imported"
        )
    else:
        return
    raise ArchiveError(message)


def _summary_line(summary: Summary) -> bytes:
    counts = {"events": summary.events, "sha256": summary.sha256}
    if summary.tagged:
        counts["tagged"] = summary.tagged
    return _json.serialize(counts) + b"\n"


def _is_summary(line: bytes) -> bool:
    return line.startswith(_END)


def line_of(event: RecordedEvent[Any]) -> bytes:
    """Give the line of an event.

    Raises:
        ArchiveError: JSON has no form for it.
    """
    # As the serializer would write a dict of all this, in half of the time.
    digits = event.raw_event_id.hex()
    event_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    try:
        head = (
            f'{{"stream_id":{_quoted(event.stream_id)},"version":{event.version},'
            f'"event_id":"{event_id}","event_type":{_quoted(event.event_type)},'
            f'"timestamp":"{event.timestamp.isoformat()}","data":'
        )
        data = _json.serialize(event.data)
        metadata = _json.serialize(dict(event.metadata)) if event.metadata else b"{}"
        tags = b',"tags":' + _json.serialize(sorted(event.tags)) if event.tags else b""
    except (TypeError, ValueError, RecursionError) as error:
        message = (
            f"stream {event.stream_id!r} version {event.version} cannot be written as JSON: {error}"
        )
        raise ArchiveError(message) from error
    return b'%b%b,"metadata":%b%b}\n' % (head.encode(), data, metadata, tags)


@lru_cache(maxsize=1024)
def _quoted(name: str) -> str:
    return _json.serialize(name).decode()


def event_of(line: bytes, number: int, path: Path) -> RecordedEvent[object]:
    """Give the event of a line; its position is its number in the archive.

    Args:
        line: The line.
        number: Its number, the first event has 2.
        path: The archive, for messages.

    Raises:
        ArchiveError: The line is no event.
    """
    try:
        fields: Any = _json.deserialize(line)
        for name in ("data", "metadata"):
            if type(fields[name]) is not dict:
                message = f"{name} is an object of JSON, found {type(fields[name]).__name__}"
                raise TypeError(message)  # noqa: TRY301 - as whatever else is wrong in it
        return RecordedEvent(
            fields["event_type"],
            fields["data"],
            stream_id=fields["stream_id"],
            version=fields["version"],
            position=number - 1,
            event_id=UUID(fields["event_id"]),
            timestamp=datetime.fromisoformat(fields["timestamp"]),
            metadata=fields["metadata"],
            tags=listed_tags(fields.get("tags", [])),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        message = f"{path} line {number} is no event: {type(error).__name__}: {error}"
        raise ArchiveError(message) from error
