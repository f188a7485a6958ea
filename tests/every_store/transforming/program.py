"""The command, with parts so small that it can be killed between two; or a broken twin of it.

``python -m tests.every_store.transforming.program right|forgets ARGUMENTS``
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from eventsourcing_cli import main
from eventsourcing_core.evolution._transforming import checking, moving

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core import StorageEventStore

PART = 500


async def forgotten(target: StorageEventStore, _: StorageEventStore) -> int:
    """Take the position in the target for that in the source."""
    return await target.last_position()


async def compare_nothing(*_: object) -> None:
    """Find that all is well."""


def run(twin: str, arguments: list[str]) -> int:
    """Run the command."""
    setattr(moving, "_MOST_EVENTS", PART)  # noqa: B010 - type checkers hold it for a constant
    if twin == "forgets":
        setattr(moving, "position_of", forgotten)  # noqa: B010 - as above
        advance: Callable[..., object] = compare_nothing
        setattr(checking.Checking, "advance", advance)  # noqa: B010 - as above
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
