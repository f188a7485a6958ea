"""The command ``eventsourcing``: a demo, a look into event stores, their schemas, and exports."""

from __future__ import annotations

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
        there was nothing to show, 130 for Ctrl-C.
    """
    try:
        # Importing takes most of a second, in which Ctrl-C is to end the command like later on.
        from eventsourcing_cli._run import run  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        return 130
    return run(arguments)
