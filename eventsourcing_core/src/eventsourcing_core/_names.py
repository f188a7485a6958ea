"""The rules for the names a store keeps: stream ids, event types, and what encoded the events."""

from __future__ import annotations

import re
import unicodedata

from eventsourcing_core._errors import InvalidStreamIdError, shown

MAX_NAME_LENGTH = 255
"""How many characters a stream id or an event type may have."""


ENCODING_NAMES = "1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or a digit first"
"""What a serializer or a transformer may be called, in words."""
_ENCODING_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFUSED = {"Cc": "the control character", "Cs": "half of a surrogate pair,"}  # by category


def check_stream_id(stream_id: str) -> None:
    """Refuse a stream id that some store could not keep.

    Raises:
        InvalidStreamIdError: If it is empty, longer than 255 characters, or holds a control
            character or half of a surrogate pair; the message says which, and where.
        TypeError: If it is not a string.
    """
    reason = _fault(stream_id, "a stream id")
    if reason:
        raise InvalidStreamIdError(stream_id, reason)


def check_event_type(event_type: str) -> None:
    """Refuse an event type name that some store could not keep; the rule of stream ids.

    Raises:
        ValueError: If the name breaks the rule.
        TypeError: If it is not a string.
    """
    reason = _fault(event_type, "an event type")
    if reason:
        message = f"invalid event type {shown(event_type, 60)}: {reason}"
        raise ValueError(message)


def check_tag(tag: str, whose: str) -> None:
    """Refuse a tag that some store could not keep; the rule of stream ids.

    Args:
        tag: The tag.
        whose: Whose it is, for messages: ``the event 'Opened':``.

    Raises:
        ValueError: If the tag breaks the rule.
        TypeError: If it is not a string.
    """
    reason = _fault(tag, f"{whose} a tag")
    if reason:
        message = f"{whose} invalid tag {shown(tag, 60)}: {reason}"
        raise ValueError(message)


def is_encoding_name(name: object) -> bool:
    """Tell whether a serializer or a transformer may be called so; ``+`` joins these names."""
    return isinstance(name, str) and _ENCODING_NAME.fullmatch(name) is not None


def is_name(text: str) -> bool:
    """Tell whether a text can be a name that a store keeps, or the beginning of one."""
    return not _fault(text, "a name")


def _fault(name: str, what: str) -> str:
    if not isinstance(name, str):
        message = f"{what} is a str, got {type(name).__name__}: {shown(name)}"
        raise TypeError(message)
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME_LENGTH:
        return f"it has {len(name)} characters, at most {MAX_NAME_LENGTH} are allowed"
    if name.isprintable():  # the common case, decided in one fast call
        return ""
    for index, character in enumerate(name):
        kind = _REFUSED.get(unicodedata.category(character))
        if kind:
            return f"character {index + 1} is {kind} U+{ord(character):04X}"
    return ""


def full_name_of(cls: type) -> str:
    """Say where a class is defined; one that a reload or a notebook defines again keeps it."""
    return f"{cls.__module__}.{cls.__qualname__}"
