"""How deep data may be nested, so that whatever is written can be read and exported."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, Final

from eventsourcing_core._errors import SerializationError

MAX_DEPTH: Final = 200
"""How many lists and dicts may be within each other, the outermost included.

Serializers and readers end at some depth; some at that of the interpreter's stack, of which a
program uses a part itself. This bound lies well below.
"""

_CONTAINERS = frozenset({dict, list})


def check_depth(tree: Any, where: str) -> None:
    """Refuse a tree that is nested too deeply.

    Raises:
        SerializationError: It names the bound.
    """
    level = [tree] if type(tree) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return
    raise too_deep(where)


def too_deep(where: str) -> SerializationError:
    """Give the error for what is nested too deeply."""
    return SerializationError(
        f"{where} is nested more than {MAX_DEPTH} levels deep: store its parts side by side, each "
        "with a reference to the one that it belongs to"
    )
