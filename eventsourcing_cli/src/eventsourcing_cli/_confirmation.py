"""Asking before something is dropped."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirm(question: str, *, what_it_does: str) -> None:
    """Ask a question with the answers yes and no.

    Args:
        question: What is asked on a terminal.
        what_it_does: What the command does, said where nobody can be asked.

    Raises:
        ValueError: The answer is no, or nobody can be asked.
    """
    if not sys.stdin.isatty():
        message = f"{what_it_does}: add --yes to do it unasked"
        raise ValueError(message)
    if not typer.confirm(question, err=True):
        message = "not confirmed, so nothing was dropped"
        raise ValueError(message)
