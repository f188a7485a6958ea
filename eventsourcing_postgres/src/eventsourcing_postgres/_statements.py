"""The SQL files, with the name of the store's schema put in."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_INTEGER = 2**63 - 1
"""What a bigint can hold; every version and position is smaller."""

MAX_SCHEMA_BYTES = 63
"""The longest name that PostgreSQL keeps whole."""

_REFUSED = re.compile(r"\0|\$\$|[\ud800-\udfff]")
_HEAD = re.compile(r"\A(?:--.*\n)+")
_PART = re.compile(r"\{part (\w+)\}")
_PLACE = re.compile(r"\{(\w+)\}")


def quoted(name: str) -> str:
    """Quote a name as an SQL identifier.

    Raises:
        ValueError: If it is empty, longer than 63 bytes, or holds a NUL, half a surrogate, or
            ``$$``, where the body of a function would end.
    """
    size = len(name.encode(errors="surrogatepass"))
    if not 0 < size <= MAX_SCHEMA_BYTES or _REFUSED.search(name):
        message = f"not a name of a schema: {name!r}; it has 1 to 63 bytes, no NUL and no $$"
        raise ValueError(message)
    return '"' + name.replace('"', '""') + '"'


def is_text(name: str) -> bool:
    """Tell whether PostgreSQL can hold a text: it has no NUL and no half of a surrogate pair."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def in_schema(sql: str, schema: str, **others: str) -> str:
    """Put the schema into a text: ``{schema}`` as an identifier, ``{schema_text}`` in a literal.

    Args:
        sql: The text.
        schema: The name of the store's schema.
        others: What is put as it is into other places, by their names.
    """
    identifier = quoted(schema)
    inside = identifier.replace("'", "''")
    return filled(sql, {"schema": identifier, "schema_text": inside, **others})


def filled(sql: str, texts: Mapping[str, str]) -> str:
    """Put texts into the places of their names, in one pass: a text may look like a place."""
    return _PLACE.sub(lambda place: texts.get(place[1], place[0]), sql)


def literal(text: str) -> str:
    """Quote a text as an SQL literal; it has no NUL."""
    # Backslashes mean themselves in both kinds of literals that the server may be set to.
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


@cache
def statement(name: str, schema: str, **others: str) -> str:
    """Give the statement of ``sql/<name>.sql`` for a schema, without the comment at its head.

    Traces and lists of slow statements name a statement by its first word. What several statements
    have in common is in ``parts``.
    """
    text = _PART.sub(lambda part: _text_of(f"parts/{part[1]}").rstrip(), _text_of(f"sql/{name}"))
    return in_schema(text, schema, **others)


def _text_of(name: str) -> str:
    path = files("eventsourcing_postgres").joinpath(f"{name}.sql")
    return _HEAD.sub("", path.read_text("utf-8"))
