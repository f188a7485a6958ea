"""The command ``eventsourcing``: a look into event stores, their schemas, projections, exports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and give its exit code.

    Args:
        arguments: What follows the name of the command; unless given, those of this process.

    Returns:
        0 if all went well, 1 if the URL, the store or the data was refused, 2 for wrong usage, 3 if
        there was nothing to show, 130 for Ctrl-C, unless that is how it is meant to end.
    """
    _fill_streams()
    try:
        # Importing takes most of a second, in which Ctrl-C is to end the command like later on.
        from eventsourcing_cli._run import run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        return 130
    return run(arguments)


def _fill_streams() -> None:
    """Let what is written go nowhere where the caller closed a stream, as for a service.

    Otherwise the next file that is opened would get its number, and what is written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end
