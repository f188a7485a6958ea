"""Runs the examples: those in docstrings, and the Python blocks of the Markdown pages.

A block of Markdown runs as its reader would run it: as a program, in an empty folder. Blocks of one
page build on each other: each runs after those above it.
"""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser

if TYPE_CHECKING:
    from sybil import Example


def run_as_program(example: Example) -> str | None:
    """Run a block of Markdown after those above it; return what it wrote if it fails."""
    program = example.namespace.get("program", "") + example.parsed
    example.namespace["program"] = program
    with TemporaryDirectory() as folder:
        finished = subprocess.run(  # noqa: S603 - the program is a page of this repository
            [sys.executable, "-I", "-W", "error", "-c", program],
            cwd=folder,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
    return finished.stdout + finished.stderr if finished.returncode else None


markdown = Sybil([CodeBlockParser("python", run_as_program)], pattern="*.md")
docstrings = Sybil([DocTestParser()], pattern="eventsourcing_*/src/**/*.py")
pytest_collect_file = (markdown + docstrings).pytest()
