"""The SQL of this distribution, one statement in each file of the folder ``sql``."""

from __future__ import annotations

import re
from importlib.resources import files

_FOLDER = files("eventsourcing_sqlite") / "sql"
_HEAD = re.compile(r"\A(?:--.*\n)+")


def statement(name: str) -> str:
    """Read the statement in the file of that name, without the comment at its head.

    Traces name a statement by its first word.
    """
    return _HEAD.sub("", (_FOLDER / f"{name}.sql").read_text("utf-8"))
