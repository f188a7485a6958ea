"""A Markdown page as its reader goes through it, in a folder and an environment of their own.

- Files are written to the page's folder. Python at the top of it is run where it stands, and
  `test_….py` by pytest, unless it is marked as not run, or a script below it names it, or runs
  pytest on all tests.
- A script is run by `sh -e` in that folder, with the tests' environment first in `PATH`.
- A program runs in an empty folder.
- `postgresql://localhost/NAME` is a database of the page's own, made when it is first named.
- Warnings of Python are errors.

So a page never needs a network, and none of its commands may run for ever.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sybil import Document

from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server
from tests.pages._blocks import continued_page, find_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from tests.pages._blocks import Block

BY_PYTEST = [
    *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
    *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
]
"""How the README says that tests are run."""
LONGEST = 120
"""Seconds that a script may take."""
NAMED_DATABASE = re.compile(r"postgresql://localhost/(\w+)")


class Databases:
    """The databases that a page names."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._urls: dict[str, str] = {}

    def real(self, text: str) -> str:
        """Put the URLs of databases that are there for those that the page names."""
        return NAMED_DATABASE.sub(lambda found: self._url(found[1]), text)

    def named(self, text: str) -> str:
        """Put the URLs that the page names for those of the databases that are there."""
        for name, url in self._urls.items():
            text = text.replace(url, f"postgresql://localhost/{name}")
        return text

    def _url(self, name: str) -> str:
        if name not in self._urls:
            self._urls[name] = self._make()
        return self._urls[name]


class Page:
    """The blocks of one page, each run once, after those above it."""

    def __init__(self, text: str, folder: Path, make_database: Callable[[], str]) -> None:
        self.blocks = list(find_blocks(Document(text, "")))
        self.folder = folder
        self.databases = Databases(make_database)
        self._make_database = make_database
        self._failures: list[str | None] = []
        self._program = ""
        self._printed = ""

    def failure(self, number: int) -> str | None:
        """Run a block, and before it those above it that have not run; say what is wrong with it.

        Pages may be shared out between processes, so that another one was asked for those above.
        """
        while len(self._failures) <= number:
            self._failures.append(self._run(self.blocks[len(self._failures)]))
        return self._failures[number]

    def finish(self) -> None:
        """Run what has not run yet.

        Raises:
            AssertionError: Something is wrong with a block.
        """
        for number in range(len(self.blocks)):
            failure = self.failure(number)
            if failure is not None:
                raise AssertionError(failure)

    def _run(self, block: Block) -> str | None:
        match block.role:
            case "file":
                return self._write(block)
            case "program":
                return self._run_program(block)
            case "commands":
                return self._run_script(block)
            case "output":
                return self._compare(block)
            case "unknown":
                return "This is neither run nor compared, and no comment above it says why."
            case "directive" | "not run":
                return None

    def _write(self, block: Block) -> str | None:
        assert block.path
        path = self.folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.databases.real(block.text), encoding="utf-8")
        is_part = path.parent != self.folder or path.suffix != ".py"
        if is_part or block.reason or self._is_named_below(block):
            return None
        by_pytest = BY_PYTEST if path.name.startswith("test_") else ()
        return self._start([sys.executable, *by_pytest, path.name])

    def _is_named_below(self, block: Block) -> bool:
        name = Path(block.path or "").stem
        runs = rf"\b{name}\b" + (r"|\bpytest(?: -\S+)*$" if name.startswith("test_") else "")
        below = (each for each in self.blocks if each.start > block.start)
        return any(
            each.role == "commands" and re.search(runs, each.text, re.MULTILINE) for each in below
        )

    def _run_program(self, block: Block) -> str | None:
        self._program += block.text
        program = Databases(self._make_database).real(self._program)
        with TemporaryDirectory() as folder:
            return self._start([sys.executable, "-I", "-W", "error", "-c", program], Path(folder))

    def _run_script(self, block: Block) -> str | None:
        script = re.sub(r"^\$ ", "", self.databases.real(block.text), flags=re.MULTILINE)
        return self._start(["sh", "-ec", script], exit_status=block.exit_status)

    def _compare(self, block: Block) -> str | None:
        pattern = ".*?".join(re.escape(part) for part in block.text.strip().split("…"))
        if re.fullmatch(pattern, self._printed, re.DOTALL):
            return None
        return f"The page says:\n{block.text}\nPrinted was:\n{self._printed}"

    def _start(
        self, command: Sequence[str], folder: Path | None = None, exit_status: int = 0
    ) -> str | None:
        """Run a command to its end; give what it printed if it does not end as it should."""
        with subprocess.Popen(  # noqa: S603 - what a page of this repository says
            command,
            cwd=folder or self.folder,
            env=environment(),
            encoding="utf-8",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                printed = process.communicate(timeout=LONGEST)[0]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with its children, which hold the pipe
                return f"It still runs after {LONGEST} seconds."
        lines = self.databases.named(printed).splitlines()
        self._printed = "\n".join(line.rstrip() for line in lines).strip()
        if process.returncode == exit_status:
            return None
        return f"{self._printed}\nThe exit status is {process.returncode}, not {exit_status}."


def environment() -> dict[str, str]:
    """Give the variables of a reader's shell, in which the tests' environment is active."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    # Unbuffered, so that errors come between what was printed before and after them.
    return kept | {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}


class Pages:
    """The pages of a session, and what they share: a server, if any of them names a database."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._opened: dict[Path, Page] = {}
        self._names = count(1)

    def page(self, path: Path) -> Page:
        """Give a page; one that continues another begins with what is there at that one's end."""
        if path not in self._opened:
            text = path.read_text("utf-8")
            folder = Path(self._stack.enter_context(TemporaryDirectory()))
            page = Page(text, folder, self._make_database)
            before = continued_page(text)
            if before is not None:
                self._continue(page, self.page(path.with_name(before)))
            self._opened[path] = page
        return self._opened[path]

    def _continue(self, page: Page, before: Page) -> None:
        before.finish()
        shutil.copytree(before.folder, page.folder, dirs_exist_ok=True)
        page.databases = before.databases

    def _make_database(self) -> str:
        name = f"{RUN}_page_{next(self._names)}"
        return self._stack.enter_context(temporary_database(self._server_url, name))

    @cached_property
    def _server_url(self) -> str:
        return self._stack.enter_context(running_server())
