"""Where the small tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.projections_under_load._places import PostgresPlace, SqlitePlace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projections_under_load._places import Place


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give a fresh place for events and read models."""
    if request.param == "sqlite":
        return SqlitePlace(tmp_path)
    url: str = request.getfixturevalue("url")
    return PostgresPlace(url)
