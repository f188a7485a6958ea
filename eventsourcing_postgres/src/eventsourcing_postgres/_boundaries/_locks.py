"""The locks of boundaries: who writes a tag shares its lock, who has a condition on it takes it.

An event that matches an item of a condition has all tags of the item. So it is enough to lock one
of them. A condition that names none may be broken by any event: it takes the lock that all appends
share. See the function ``append_v3``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores import Append, QueryItem

MOST_KEYS: Final = 256
"""How many locks of tags a transaction takes: the server keeps a table of all, of a fixed size."""
_NO_TYPES: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=8192)
def key_of(tag: str) -> int:
    """Give the number of a tag's lock, from 1 on; two tags may share one, and then wait in vain."""
    return crc32(tag.encode()) & 0x7FFFFFFF or 1


def leading_tag(tags: Iterable[str]) -> str:
    """Give the tag of an item that is locked: everybody who is asked has to give the same.

    The longest one is likely to be that of the fewest events: ``invoice:2026-1031``, not ``eu``.
    """
    return max(tags, key=_length)


def keys_of(append: Append) -> set[tuple[int, bool]]:
    """Give the keys of an append's locks, each with whether it is shared."""
    keys: set[tuple[int, bool]] = set()
    for write in append.writes:
        for event in write.events:
            if event.tags is not None:
                keys.update([(key_of(tag), True) for tag in event.tags])
    if append.condition is not None:
        keys.update(
            [(key_of(leading_tag(item.tags)), False) for item in items_of(append) if item.tags]
        )
    return keys


def most_keys(append: Append) -> int:
    """Give how many keys an append has at most; looking at them takes longer."""
    count = 0 if append.condition is None else len(append.condition.items)
    for write in append.writes:
        for event in write.events:
            if event.tags is not None:
                count += len(event.tags)
    return count


def in_order(locks: Iterable[tuple[int, bool, int]]) -> list[tuple[int, bool, int]]:
    """Sort locks as all who take some do: by key, and of each key those for oneself first.

    Args:
        locks: The key of each, whether it is shared, and for which append.
    """
    return sorted(locks)


def is_alone(append: Append) -> bool:
    """Tell whether an append takes the lock that all others share, and none beside it."""
    if append.condition is not None and any(not item.tags for item in items_of(append)):
        return True
    return most_keys(append) > MOST_KEYS < len({key for key, _ in keys_of(append)})


def items_of(append: Append) -> list[QueryItem]:
    """Give the items of an append's condition that anything can match."""
    if append.condition is None:
        return []
    return [item for item in append.condition.items if item.event_types != _NO_TYPES]


def _length(tag: str) -> tuple[int, str]:
    return len(tag), tag
