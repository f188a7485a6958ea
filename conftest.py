"""Runs the examples: those in docstrings, and the blocks of the Markdown pages.

`tests/pages/_blocks.py` says how a block is marked, and `tests/pages/_page.py` how it is run.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sybil import Example, Region, Sybil
from sybil.parsers.rest import DocTestParser

from tests.pages._blocks import find_blocks
from tests.pages._page import Pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document

WITHOUT_MSGSPEC = "WITHOUT_MSGSPEC" in os.environ
"""Whether the tests are run as if ``eventsourcing_msgspec`` were not installed."""

pytest_plugins = ["tests._time_limits", *(["tests._without_msgspec"] if WITHOUT_MSGSPEC else [])]


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    """Give the pages that were run in this session, and run others."""
    with ExitStack() as stack:
        yield Pages(stack)


def run_block(example: Example) -> str | None:
    """Run a block of a page; return what is wrong with it."""
    pages: Pages = example.namespace["pages"]
    return pages.page(Path(example.path)).failure(example.parsed)


def parse_page(document: Document) -> Iterator[Region]:
    """Give the blocks of a page that are run or compared, each with its number on the page."""
    for number, block in enumerate(find_blocks(document)):
        if block.role not in {"directive", "not run"}:
            yield Region(block.start, block.end, number, run_block)


def parse_docstring(document: Document) -> Iterator[Region]:
    """Give the examples of a docstring as one test: the later ones need the earlier ones.

    Tests of their own could be run in different processes.
    """
    examples = list(DocTestParser()(document))
    if examples:
        yield Region(examples[0].start, examples[-1].end, examples, run_docstring)


def run_docstring(example: Example) -> None:
    """Run the examples of a docstring, one after the other."""
    for region in example.parsed:
        Example(
            example.document, example.line, example.column, region, example.namespace
        ).evaluate()


markdown = Sybil([parse_page], pattern="*.md", fixtures=["pages"])
docstrings = Sybil([parse_docstring], pattern="eventsourcing_*/src/**/*.py")
pytest_collect_file = (markdown + docstrings).pytest()
