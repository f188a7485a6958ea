"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from eventsourcing_core.plugins import installed_plugins


def _schemes() -> list[str]:
    """Give what a URL can begin with, for the completion of shells."""
    slashes = {"sqlite": ":///"}
    return [f"{name}{slashes.get(name, '://')}" for name in installed_plugins().names("backend")]


Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        show_default=False,
        help="The store, as sqlite:///bank.db or postgresql://user@host/bank.",
        autocompletion=_schemes,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]
OneObject = Annotated[bool, typer.Option("--json", help="Write one object of JSON.")]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only events of this type; may be repeated."),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        "--prefix", metavar="TEXT", help="Only streams whose id begins so, as BankAccount-."
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only events with this tag, as course:1; if it is repeated, with all of them.",
    ),
]
Transformers = Annotated[
    list[str] | None,
    typer.Option(
        "--transformer",
        metavar="NAME",
        help="What the serialized bytes go through, as the application has it; may be repeated.",
    ),
]


def examples(*lines: str) -> str:
    r"""Give the end of a help text; ``\b`` keeps its lines as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
