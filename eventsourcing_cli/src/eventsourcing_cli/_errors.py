"""What goes wrong, told to people: one line with the cure, on the standard error stream."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from eventsourcing_cli._escape import escaped, on_one_line
from eventsourcing_cli._secrets import masked, secrets_in
from eventsourcing_core import EventSourcingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXPECTED = (EventSourcingError, ValueError, TypeError, OSError)
"""What the library and the system raise for what they refuse: their texts say the cure."""


class NothingFoundError(Exception):
    """There is no event to show."""


@contextmanager
def interruption_says(how_it_stands: str) -> Iterator[None]:
    """Say what is left behind when Ctrl-C ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        line = Text.assemble(("interrupted:", "bold"), " ", on_one_line(how_it_stands))
        Console(stderr=True, highlight=False).print(line, soft_wrap=True)
        raise


class Reporter(logging.Handler):
    """Says what went wrong; and what the library logs, which would else go there as it is.

    Args:
        arguments: What the user typed: the passwords in it are never shown.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__()
        self._secrets = secrets_in(arguments)

    def say(self, kind: str, text: str, style: str = "bold red") -> None:
        """Write one line: ``error: …``."""
        line = Text.assemble((f"{kind}:", style), " ", on_one_line(masked(text, self._secrets)))
        Console(stderr=True, highlight=False).print(line, soft_wrap=True)

    def error(self, error: Exception) -> None:
        """Say what an error says."""
        if isinstance(error, EXPECTED):
            self.say("error", str(error) or type(error).__name__)
        else:
            self.say(
                "error",
                f"unexpected {type(error).__name__}: {error}; this is a mistake in the command "
                "or in a plugin: report it with what --traceback shows",
            )

    def traceback(self, error: Exception) -> None:
        """Write the traceback, without the values of variables."""
        text = masked("".join(traceback.format_exception(error)), self._secrets)
        console = Console(stderr=True, highlight=False)
        for line in text.splitlines():
            console.print(Text(escaped(line)), soft_wrap=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Say what is logged."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            self.traceback(error)
        self.say(record.levelname.lower(), record.getMessage(), "bold yellow")
