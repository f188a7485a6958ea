"""``eventsourcing demo``: the main job, step by step, with the code that does it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
import sys
import tempfile
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote
from uuid import uuid4

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from eventsourcing_cli._arguments import examples
from eventsourcing_cli._escape import escaped
from eventsourcing_core import open_backend

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=examples("eventsourcing demo", "eventsourcing demo bank.db"))(demo)


def demo(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="A new SQLite file to keep the accounts in; a temporary one, unless given.",
        ),
    ] = None,
) -> None:
    """Show how it works, step by step, on an SQLite file.

    Accounts are opened, loaded, changed, kept in a snapshot and changed by two people at once. The
    code that is shown is the code that runs.
    """
    if re.match(r"\w{2,}:/", str(file)):
        message = "give the path of a file, as bank.db, and not a URL"
        raise typer.BadParameter(message, param_hint="FILE")
    path = file or Path(tempfile.gettempdir(), f"eventsourcing-{uuid4().hex[:12]}", "bank.db")
    url = f"sqlite:///{quote(path.as_posix())}"
    open_backend(url)  # not entered: it only says what is missing, before a folder is made
    if path.exists():
        message = (
            f"{str(path)!r} is there already, and the demo begins with a new file: "
            f"give another name, or look into it: eventsourcing tail {shlex.quote(url)}"
        )
        raise FileExistsError(message)
    if file is None:
        path.parent.mkdir(mode=0o700)
    _tell(_Page(), url, is_temporary=file is None)


def _tell(page: _Page, url: str, *, is_temporary: bool) -> None:
    # Its events are registered when it is imported: other commands know no classes.
    from eventsourcing_cli import _demo_story as story  # noqa: PLC0415 - see above

    where = "a temporary file, which stays" if is_temporary else "this file"
    page.say(f"A bank on {where}: {url}")
    page.head("1. Events are what happened. Applied again, they make the account.")
    page.code(imports_of(story))
    page.code("\n\n".join(inspect.getsource(each).rstrip() for each in story.TYPES))
    for number, step in enumerate(story.STEPS, start=2):
        page.head(f"{number}. {inspect.getdoc(step)}")
        page.code(source_of(step))
        asyncio.run(step(url))
    shown = shlex.quote(url)
    page.head("What to try next")
    page.commands(
        f"eventsourcing show {shown} BankAccount-alice",
        f"eventsourcing tail {shown} --type money.withdrawn",
        f"eventsourcing tail {shown} --json",
        "eventsourcing --help",
    )


def imports_of(module: ModuleType) -> str:
    """Give what a module imports, as it stands there, but for what only type checkers need."""
    source = inspect.getsource(module)
    imports = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    return "\n".join(
        str(ast.get_source_segment(source, node)) for node in imports if node.module != "__future__"
    )


def source_of(function: Callable[..., object]) -> str:
    """Give the source of a function, without its docstring."""
    source = dedent(inspect.getsource(function))
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101 - what it was given
    lines = source.rstrip().split("\n")
    docstring = definition.body[0]
    if ast.get_docstring(definition) is not None:
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)


class _Page:
    """What is shown: with colours on a terminal, without in a pipe."""

    def __init__(self) -> None:
        self._console = Console(highlight=False) if sys.stdout.isatty() else None

    def say(self, text: str) -> None:
        """Write a sentence."""
        if self._console is None:
            print(escaped(text))  # noqa: T201 - the output of the command
        else:
            self._console.print(Text(escaped(text), overflow="fold"))

    def head(self, text: str) -> None:
        """Write a heading."""
        if self._console is None:
            print(f"\n{text}\n")  # noqa: T201 - the output of the command
        else:
            self._console.print(Padding(Text(text, "bold"), (1, 0)))

    def code(self, source: str) -> None:
        """Write code, and leave room for what it prints."""
        # It takes a while to be imported, which other commands would wait for.
        from rich.syntax import Syntax  # noqa: PLC0415 - see above

        if self._console is None:
            print(indent(source, "    "), end="\n\n")  # noqa: T201 - the output of the command
        else:
            # Colours of the terminal's own palette, which can be read on light and on dark.
            shown = Syntax(source, "python", theme="ansi_dark", word_wrap=True)
            self._console.print(Padding(shown, (0, 0, 1, 2)))

    def commands(self, *lines: str) -> None:
        """Write commands, each on one line, so that they can be copied."""
        for line in lines:
            if self._console is None:
                print(f"    {escaped(line)}")  # noqa: T201 - the output of the command
            else:
                self._console.print(Text(f"  {escaped(line)}", "cyan"), soft_wrap=True)
