"""Running the command: what it raises becomes a line and an exit code."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import typer
from typer.main import get_command

from eventsourcing_cli._app import NAME, app
from eventsourcing_cli._errors import NothingFoundError, Reporter

if TYPE_CHECKING:
    from collections.abc import Sequence

REFUSED = 1
NOTHING_FOUND = 3
INTERRUPTED = 130
_TRACEBACK = "--traceback"


def run(arguments: Sequence[str] | None) -> int:
    """Run the command, and give its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    reporter = Reporter(given)
    logging.getLogger().addHandler(reporter)
    _choose_encoding()
    try:
        code = _dispatch(given)
        sys.stdout.flush()
    except BrokenPipeError:
        code = 0  # who reads it, as head does, has seen enough
    except (KeyboardInterrupt, typer.Abort):  # the second where an answer was asked for
        code = INTERRUPTED
    except NothingFoundError as nothing:
        reporter.say("nothing", str(nothing), "bold")
        code = NOTHING_FOUND
    except typer.TyperException as error:
        code = _say_usage(error, reporter)
    except Exception as error:  # noqa: BLE001 - a plugin may fail in any way
        if _TRACEBACK in given:
            reporter.traceback(error)
        reporter.error(error)
        code = REFUSED
    finally:
        logging.getLogger().removeHandler(reporter)
    return code


def _choose_encoding() -> None:
    """Let every character be written: in a pipe as UTF-8, on a terminal as it can show it."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # a test's output may have none
    if reconfigure is None:
        return
    if sys.stdout.isatty():
        reconfigure(errors="backslashreplace")
    else:
        reconfigure(encoding="utf-8")


def _dispatch(given: Sequence[str]) -> int:
    """Let typer find the command and call it."""
    try:
        # In this mode it gives what the command returns, or the code with which that would exit.
        code: object = get_command(app).main(
            _arranged(given), prog_name=NAME, standalone_mode=False
        )
    except SystemExit as ended:
        # It takes a broken pipe for its own affair, and leaves with 1.
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        raise
    return code if isinstance(code, int) else 0


def _arranged(given: Sequence[str]) -> list[str]:
    """Put ``--traceback`` first, wherever it was typed; and ask for help where nothing was."""
    end = given.index("--") if "--" in given else len(given)
    wanted = _TRACEBACK in given[:end]
    rest = [each for each in given[:end] if each != _TRACEBACK]
    return [*([_TRACEBACK] if wanted else []), *rest, *given[end:]] or ["--help"]


def _say_usage(error: typer.TyperException, reporter: Reporter) -> int:
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", NAME)
    said = error.format_message().rstrip(".")
    reporter.say("error", f"{said}; {path} --help says what can be given")
    return error.exit_code
