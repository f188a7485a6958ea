"""Lines of an archive, and rows of a store of JSON: the bytes of payloads stay as they are.

To make an event of a line, and bytes of the event again, takes five times as long. So lines of the
form in which ``export`` writes nearly all are only checked, many at once: that their parts are what
they should be, and that the bytes of the payloads would be read as the same values. And rows become
lines if the serializer would write their payloads in these very bytes. About any other lines and
rows nothing is said here: the events of their batch are made, and whoever makes them says what is
wrong.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, count, repeat
from json import JSONDecoder, JSONEncoder
from secrets import token_hex
from struct import iter_unpack
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core import JsonSerializer
from eventsourcing_core.stores import Columns, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

ENCODING = "json"
"""What the bytes of an archive are in."""

_NAME = rb'"([^"\\\x00-\x1f]+)"'  # without escapes, which the serializer avoids
_LINE = re.compile(
    rb'^\{"stream_id":' + _NAME + rb',"version":([1-9][0-9]{0,17})'
    rb',"event_id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
    rb',"event_type":' + _NAME + rb',"timestamp":"([0-9T:.-]{19,26}\+00:00)"'
    rb',"data":(\{.*\}),"metadata":(\{.*\})(?:,"tags":(\[.*\]))?\}\n',
    re.MULTILINE,
)
_EMPTY = b"{}"
_DEEPEST = 100  # lists and dicts in a payload; more may be nested more deeply than a store keeps
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000  # microseconds
_BETWEEN = token_hex(16)
"""Stands between payloads that are read at once. No payload has it: nobody could know it."""
_SEPARATOR = f',"{_BETWEEN}",'.encode()

_new: Any = vars(tuple)["__new__"]  # takes half of the time of the constructor of a NamedTuple
_plain = JSONDecoder().raw_decode  # what looks for no tags takes half of the time
_tagged = JsonSerializer().deserialize
_written = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
"""As the serializer writes what has no tags."""


def rows_of(number: int, lines: bytes) -> list[Row] | None:
    """Give whole lines as rows; None if one of them needs a closer look.

    Args:
        number: Of the first line in the archive. The position of a row is that of its event, which
            is one less than the number of its line.
        lines: The lines, each with its end.
    """
    # A match begins where a line does and has one end of a line, its own: so if there are as many
    # as lines, each line is one.
    found = _LINE.findall(lines)
    if not found or len(found) != lines.count(b"\n") or not lines.endswith(b"\n"):
        return None
    stream_ids, versions, event_ids, event_types, timestamps, datas, metadatas, tags = zip(
        *found, strict=True
    )
    given = [metadata for metadata in metadatas if metadata != _EMPTY]
    try:
        if not (_are_dicts(datas) and (not given or _are_dicts(given))):
            return None
        values = zip(
            map(bytes.decode, stream_ids),
            map(int, versions),
            count(number - 1),
            map(bytes.decode, event_types),
            datas,
            [None if metadata == _EMPTY else metadata for metadata in metadatas],
            repeat(ENCODING),
            _ids(event_ids),
            _microseconds(timestamps),
            map(_tags_of, tags),
        )
        return [_new(Row, row) for row in values]
    except ValueError:
        return None


def lines_of(rows: Sequence[Row]) -> bytes | None:
    """Give rows as whole lines; None if one of them needs a closer look.

    Args:
        rows: Some of the rows of a store, at least one.
    """
    values = rows.values() if isinstance(rows, Columns) else rows
    (
        stream_ids,
        versions,
        _,
        event_types,
        datas,
        metadatas,
        encodings,
        event_ids,
        timestamps,
        tags,
    ) = zip(*values, strict=True)
    if {*encodings} != {ENCODING}:
        return None
    try:
        texts = _as_written(datas)
        given = iter(_as_written([metadata for metadata in metadatas if metadata is not None]))
    except (ValueError, RecursionError):
        return None
    lines = [
        f'{{"stream_id":{_quoted(stream_id)},"version":{version},'
        f'"event_id":"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",'
        f'"event_type":{_quoted(event_type)},"timestamp":"{_shown(*divmod(time, _SECOND))}",'
        f'"data":{text},"metadata":{"{}" if metadata is None else next(given)}'
        f"{_shown_tags(tuple(its_tags)) if its_tags else ''}}}\n"
        for stream_id, version, digits, event_type, time, text, metadata, its_tags in zip(
            stream_ids,
            versions,
            map(bytes.hex, event_ids),
            event_types,
            timestamps,
            texts,
            metadatas,
            tags,
            strict=True,
        )
    ]
    return "".join(lines).encode()


def _as_written(datas: Sequence[bytes]) -> list[str]:
    """Give dicts as text, if the serializer would write them so.

    Raises:
        ValueError: They are no dicts without tags, or the serializer would write them otherwise.
    """
    if not datas:
        return []
    text = f"[{_SEPARATOR.join(datas).decode()}]"
    trees, end = _plain(text)
    if '"$' in text or end != len(text) or not _are_apart(trees, len(datas)):
        raise ValueError
    if _written(trees) != text:
        raise ValueError
    return text[1:-1].split(_SEPARATOR.decode())


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return _written(name)


@lru_cache(maxsize=4096)
def _shown_tags(tags: tuple[str, ...]) -> str:
    return f',"tags":{_written(sorted(tags))}'


def _shown(second: int, microsecond: int) -> str:
    """Give a time as ``datetime.isoformat`` does."""
    fraction = f".{microsecond:06}" if microsecond else ""
    return f"{_second(second)}{fraction}+00:00"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()


def _ids(texts: Sequence[bytes]) -> list[bytes]:
    together = bytes.fromhex(b"".join(texts).decode().replace("-", ""))
    return [*chain.from_iterable(iter_unpack("16s", together))]


def _microseconds(texts: Sequence[bytes]) -> list[int]:
    times = map(datetime.fromisoformat, b"\n".join(texts).decode().split("\n"))
    return [(time - _EPOCH) // _MICROSECOND for time in times]


def listed_tags(tags: object) -> list[str]:
    """Give the tags of a line, each of which is looked at where the event is made.

    Raises:
        TypeError: They are no list.
    """
    if not isinstance(tags, list):
        message = f"tags are a list of texts, got {type(tags).__name__}"
        raise TypeError(message)
    return cast("list[str]", tags)  # as above


def _tags_of(array: bytes) -> tuple[str, ...] | None:
    """Give tags as a row has them; None where a line has none.

    Raises:
        ValueError: They are no JSON, or not texts, or one comes twice.
    """
    if not array:
        return None
    tags: Any = json.loads(array)
    if not all(type(tag) is str for tag in tags) or len({*tags}) < len(tags):
        message = "no set of texts"
        raise ValueError(message)
    return tuple(sorted(tags))


def _are_dicts(datas: Sequence[bytes]) -> bool:
    r"""Tell whether these bytes are surely dicts that a store keeps, each of them.

    An escape ``\\u`` may hide the dollar sign of a tag, or half of a surrogate pair.

    Raises:
        ValueError: They are no JSON.
    """
    together = _SEPARATOR.join(datas)
    begun = together.count(b"{") + together.count(b"[")
    if b"\\u" in together or (
        begun >= len(datas) + _DEEPEST  # else none has so many, since each has one
        and any(data.count(b"{") + data.count(b"[") > _DEEPEST for data in datas)
    ):
        return False
    if b'"$' in together:
        return all(type(_tagged(data)) is dict for data in datas)
    text = f"[{together.decode()}]"
    trees, end = _plain(text)
    return end == len(text) and _are_apart(trees, len(datas))


def _are_apart(trees: Sequence[object], count: int) -> bool:
    """Tell whether so many dicts stand before, between and behind all the separators.

    Each is one value, so none can have ended in another one.
    """
    return (
        len(trees) == 2 * count - 1
        and trees[1::2] == [_BETWEEN] * (count - 1)
        and {*map(type, trees[::2])} == {dict}
    )
