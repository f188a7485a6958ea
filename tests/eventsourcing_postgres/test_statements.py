"""The statements of the store, as traces and lists of slow statements show them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from eventsourcing_postgres._statements import statement

NAMES = sorted(
    path.name.removesuffix(".sql") for path in (files("eventsourcing_postgres") / "sql").iterdir()
)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_begins_with_its_first_word(name: str) -> None:
    assert re.match(r"[a-z]", statement(name, "events"))


def test_comments_inside_a_statement_stay() -> None:
    assert any("\n--" in statement(name, "events") for name in NAMES)
