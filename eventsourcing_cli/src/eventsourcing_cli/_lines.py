"""Lines of an archive whose bytes a store of JSON can keep as they are.

To make an event of a line, and bytes of the event again, takes three times as long. So a line of
the form in which ``export`` writes nearly all is only checked: that its parts are what they should
be, and that the bytes of the payload would be read as the same value. About any other line nothing
is said here: the events of its batch are made, and whoever makes them says what is wrong.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from json import JSONDecoder
from typing import Any

from eventsourcing_core import JsonSerializer
from eventsourcing_core.stores import Row

ENCODING = "json"
"""What the bytes of an archive are in."""

_NAME = rb'"([^"\\\x00-\x1f]+)"'  # without escapes, which the serializer avoids
_LINE = re.compile(
    rb'\{"stream_id":' + _NAME + rb',"version":([1-9][0-9]{0,17})'
    rb',"event_id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
    rb',"event_type":' + _NAME + rb',"timestamp":"([0-9T:.-]{19,26}\+00:00)"'
    rb',"data":(\{.*\}),"metadata":(\{.*\})\}\n'
)
_EMPTY = b"{}"
_DEEPEST = 100  # lists and dicts in a payload; more may be nested more deeply than a store keeps
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_new: Any = vars(tuple)["__new__"]  # takes half of the time of the constructor of a NamedTuple
_plain = JSONDecoder().raw_decode  # what looks for no tags takes half of the time
_tagged = JsonSerializer().deserialize


def row_of(number: int, line: bytes) -> Row | None:
    """Give a line as a row; None if it needs a closer look.

    Args:
        number: Of the line in the archive. The row's position is that of its event, one less.
        line: The line.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    stream_id, version, event_id, event_type, timestamp, data, metadata = found.groups()
    try:
        if not (_is_dict(data) and (metadata == _EMPTY or _is_dict(metadata))):
            return None
        values = (
            stream_id.decode(),
            int(version),
            number - 1,
            event_type.decode(),
            data,
            None if metadata == _EMPTY else metadata,
            ENCODING,
            bytes.fromhex(event_id.decode().replace("-", "")),
            (datetime.fromisoformat(timestamp.decode()) - _EPOCH) // _MICROSECOND,
        )
    except ValueError:
        return None
    row: Row = _new(Row, values)
    return row


def _is_dict(data: bytes) -> bool:
    r"""Tell whether bytes are surely those of a dict that a store keeps.

    An escape ``\\u`` may hide the dollar sign of a tag, or half of a surrogate pair.

    Raises:
        ValueError: They are no JSON.
    """
    if b"\\u" in data or data.count(b"{") + data.count(b"[") > _DEEPEST:
        return False
    if b'"$' in data:
        return type(_tagged(data)) is dict
    text = data.decode()
    tree, end = _plain(text)
    return type(tree) is dict and end == len(text)
