"""Runs the examples: those in docstrings, and the Python blocks of the Markdown pages.

A block of Markdown runs as its reader would run it: as a program, in an empty folder. Blocks of one
page build on each other: each runs after those above it. One that begins with the name of a file is
that file, beside those above it; ``test_….py`` is run by pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser

if TYPE_CHECKING:
    from sybil import Example


BY_PYTEST = [
    *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
    *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
]
"""How the README says that tests are run."""


def run_as_program(example: Example) -> str | None:
    """Run a block of Markdown after those above it; return what it wrote if it fails."""
    name = re.match(r"# (\w+\.py)\n", example.parsed)
    files = example.namespace.setdefault("files", {})
    if name is None:
        program = example.namespace.get("program", "") + example.parsed
        example.namespace["program"] = program
        command = ["-I", "-W", "error", "-c", program]
    else:
        files[name[1]] = example.parsed
        is_test = name[1].startswith("test_")
        command = ["-W", "error", *(BY_PYTEST if is_test else ()), name[1]]
    with TemporaryDirectory() as folder:
        for file, text in files.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        finished = subprocess.run(  # noqa: S603 - the program is a page of this repository
            [sys.executable, *command],
            cwd=folder,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
    return finished.stdout + finished.stderr if finished.returncode else None


markdown = Sybil([CodeBlockParser("python", run_as_program)], pattern="*.md")
docstrings = Sybil([DocTestParser()], pattern="eventsourcing_*/src/**/*.py")
pytest_collect_file = (markdown + docstrings).pytest()
