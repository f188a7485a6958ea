"""Tags: what an event is about, beside its stream; queries find events by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from eventsourcing_core._errors import shown
from eventsourcing_core._names import check_tag

Tagger: TypeAlias = Callable[[Any], Iterable[str]]
"""Gives the tags of a payload."""

NO_TAGS: frozenset[str] = frozenset()
"""The one empty set of tags that all events without any share."""

MOST_TAGS: Final = 100
"""How many tags an event may have."""


def tags_of(given: Iterable[str], whose: str) -> frozenset[str]:
    """Give tags as a set, once they are seen to be such.

    Args:
        given: The tags.
        whose: Whose they are, for messages: ``the event 'Opened':``.

    Raises:
        ValueError: A tag is empty, too long, has a control character, or comes twice; or there are
            too many.
        TypeError: Something is no text.
    """
    if given is NO_TAGS:
        return NO_TAGS
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        message = (
            f"{whose} tags are a set of texts, got {shown(given)}: put a single one into a set"
        )
        raise TypeError(message)
    whole: object = given
    if isinstance(whole, dict):
        message = (
            f"{whose} tags are a set of texts, got the dict {shown(given)}: make one text of each "
            "key and value, such as 'course:1'"
        )
        raise TypeError(message)
    tags = given if isinstance(given, AbstractSet) else [*given]
    for tag in tags:
        check_tag(tag, whose)
    found = frozenset(tags)
    if len(found) < len(tags):
        doubled = next(tag for tag in found if [*tags].count(tag) > 1)
        message = f"{whose} tags hold {shown(doubled)} twice: tags are a set, so give each once"
        raise ValueError(message)
    return _not_too_many(found, whose) or NO_TAGS


def stored_tags(tags: frozenset[str]) -> tuple[str, ...] | None:
    """Give tags as stores keep them: sorted; None if there are none."""
    return tuple(sorted(tags)) if tags else None


def joined_tags(tags: frozenset[str], others: frozenset[str], whose: str) -> frozenset[str]:
    """Give the tags of both.

    Raises:
        ValueError: There are too many.
    """
    return _not_too_many(tags | others, whose)


def _not_too_many(tags: frozenset[str], whose: str) -> frozenset[str]:
    if len(tags) > MOST_TAGS:
        message = f"{whose} it has {len(tags)} tags, at most {MOST_TAGS} are allowed"
        raise ValueError(message)
    return tags
