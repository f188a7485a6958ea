"""The statements of the store, as traces show them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from eventsourcing_sqlite._statements import statement

NAMES = sorted(
    path.name.removesuffix(".sql") for path in (files("eventsourcing_sqlite") / "sql").iterdir()
)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_begins_with_its_first_word(name: str) -> None:
    assert re.match(r"[A-Z]", statement(name))
