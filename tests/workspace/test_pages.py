"""The blocks of the Markdown pages: each is run or compared, or a comment says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sybil import Document

from tests.pages._blocks import find_blocks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def markdown(repository_files: list[Path]) -> list[Path]:
    """The Markdown pages of the repository."""
    return [path for path in repository_files if path.suffix == ".md"]


def test_every_block_is_run_or_compared_or_says_why_not(markdown: list[Path]) -> None:
    unexplained = [
        f"{path.name}:{document.line_column(block.start)}"
        for path in markdown
        for document in [Document(path.read_text("utf-8"), str(path))]
        for block in find_blocks(document)
        if block.role == "unknown"
    ]
    assert unexplained == []


def test_every_page_is_where_pytest_looks_for_pages(
    markdown: list[Path], root: Path, pytestconfig: pytest.Config
) -> None:
    places = [found for pattern in pytestconfig.getini("testpaths") for found in root.glob(pattern)]
    assert [page.name for page in markdown if not {page, *page.parents}.intersection(places)] == []
