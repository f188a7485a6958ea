"""Tags as the file has them, and the items of queries as statements take them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores import QueryItem

TAGS = 9  # where a row has them


@lru_cache(maxsize=4096)
def stored_tags(tags: tuple[str, ...]) -> str:
    """Give tags as the column has them."""
    return json.dumps(tags, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _tags_in(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


def with_tags(found: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Give what a statement found as rows have it; see ``parts/tags.sql``.

    In a store without tags one row tells, and the others are not looked at.
    """
    if not found or found[0][TAGS] is None:
        return found
    return [(*row[:TAGS], _tags_in(row[TAGS]) if row[TAGS] else None) for row in found]


def parameters_of(items: Iterable[QueryItem]) -> dict[str, object]:
    """Give the parameters of ``parts/matching.sql`` that say what is wanted."""
    tagged: list[tuple[list[str], list[str] | None]] = []
    untagged: set[str] | None = set()
    for tags, event_types in items:
        if tags:
            tagged.append((sorted(tags), None if event_types is None else sorted(event_types)))
        elif event_types is None:
            untagged = None
        elif untagged is not None:
            untagged |= event_types
    return {
        "items": json.dumps(tagged, ensure_ascii=False),
        "types": None if untagged is None else json.dumps(sorted(untagged), ensure_ascii=False),
    }
