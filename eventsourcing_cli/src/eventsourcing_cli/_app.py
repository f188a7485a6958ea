"""The command, and the commands in it."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from inspect import getdoc
from shutil import get_terminal_size
from typing import Annotated

import typer

from eventsourcing_cli import (
    _demo,
    _export,
    _import,
    _plugins,
    _schema,
    _show,
    _stats,
    _streams,
    _tail,
)
from eventsourcing_cli._evolution import cataloguing, checking, comparing, freezing, transforming
from eventsourcing_cli._projections import group

NAME = "eventsourcing"
_ROOM = 80  # columns


def _has_room() -> bool:
    """Tell whether help is shown with frames and colours: where it is narrow, they cut options."""
    return sys.stdout.isatty() and get_terminal_size().columns >= _ROOM


app = typer.Typer(
    name=NAME,
    context_settings={"help_option_names": ["--help", "-h"]},
    # Tracebacks are shown when they are asked for, and without the values of variables: see _run.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if _has_room() else None,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {version_of('eventsourcing-cli')}")
        raise typer.Exit


@app.callback()
def eventsourcing(
    *,  # what the two do is in the callback, and in _run
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Show where an error comes from; may stand anywhere."),
    ] = False,
) -> None:
    """Look into event stores, keep their schemas, run what follows them, and move events.

    A store is named by its URL: sqlite:///bank.db is a file in the working directory,
    postgresql://user@host/bank a database.
    """


for _module in (
    *(_demo, _plugins, _schema, _streams, _show, _tail, _stats, _export, _import, group),
    *(freezing, comparing, checking, cataloguing, transforming),
):
    _module.add_to(app)


def _paragraphs(documented: object) -> list[str]:
    """Give the paragraphs of a docstring, each as one line: the terminal's width folds it."""
    return [" ".join(each.split()) for each in (getdoc(documented) or "").split("\n\n")]


# Typer would keep the line ends of the source where it draws frames, and cut summaries elsewhere.
for _command in (*app.registered_commands, *group.projections.registered_commands):
    _said = _paragraphs(_command.callback)
    _command.short_help, _command.help = _said[0], "\n\n".join(_said)
