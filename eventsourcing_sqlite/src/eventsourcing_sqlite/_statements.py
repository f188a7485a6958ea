"""The SQL of this distribution, one statement in each file of the folder ``sql``."""

from __future__ import annotations

import re
from importlib.resources import files

_PACKAGE = files("eventsourcing_sqlite")
_HEAD = re.compile(r"\A(?:--.*\n)+")
_PART = re.compile(r"\{part (\w+)\}")


def statement(name: str) -> str:
    """Read the statement in the file of that name, without the comment at its head.

    Traces name a statement by its first word. What several statements have in common is in
    ``parts``.
    """
    return _PART.sub(lambda part: _text_of(f"parts/{part[1]}").rstrip(), _text_of(f"sql/{name}"))


def _text_of(name: str) -> str:
    return _HEAD.sub("", (_PACKAGE / f"{name}.sql").read_text("utf-8"))
