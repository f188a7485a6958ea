"""The commands about projections, and the one among them that needs no name."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from eventsourcing_cli._projections import parking, rebuilding, running, standing, steering

_UNNAMED = "list"


class _Group(TyperGroup):
    """Takes what begins with a URL, or with an option, for the command that lists."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # its type is private to typer
        first = args[0] if args else ""
        is_option = first.startswith("-") and first not in ctx.help_option_names
        is_missing = not args and not ctx.resilient_parsing  # which completes the word
        if is_option or is_missing or "://" in first:
            args = [_UNNAMED, *args]
        return super().parse_args(ctx, args)


projections = typer.Typer(
    cls=_Group,
    subcommand_metavar="[COMMAND] URL [ARGS]...",
    short_help="List what follows a store; run, rebuild, switch and mend it.",
    help="List what follows a store; run, rebuild, switch and mend it.\n\n"
    "Views, projections and reactors are listed unless a command is named: "
    "eventsourcing projections URL.",
)

for _module in (standing, running, rebuilding, steering, parking):
    _module.add_to(projections)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(projections, name="projections")
