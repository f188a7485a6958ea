"""The SQL of this distribution, one statement in each file of the folder ``sql``."""

from __future__ import annotations

from importlib.resources import files

_FOLDER = files("eventsourcing_sqlite") / "sql"


def statement(name: str) -> str:
    """Read the statement in the file of that name."""
    return (_FOLDER / f"{name}.sql").read_text("utf-8")
