"""Appends as the function ``append_v3`` takes them.

See ``_arguments.py``: arrays of numbers and ids are sent as text. So are the tags of an event, and
the tags and types of an item, one in a line, since no line feed is in any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_postgres._arguments import (
    columns,
    expected_number,
    numbers_text,
)
from eventsourcing_postgres._boundaries._locks import (
    in_order,
    is_alone,
    items_of,
    keys_of,
    leading_tag,
)
from eventsourcing_postgres._statements import LARGEST_INTEGER, is_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from eventsourcing_core.stores import (
        Append,
        Condition,
        EncodedEvent,
        Placed,
        QueryItem,
    )


class _Stream(NamedTuple):
    """A stream that an append writes to, or requires."""

    stream_id: str
    expected: int
    size: int
    append: int


def together_arguments(appends: Sequence[Append]) -> list[Any]:
    """Give the arguments of the function for appends, all but the last two."""
    streams = [
        stream for number, append in enumerate(appends, 1) for stream in _streams(append, number)
    ]
    events = [event for append in appends for write in append.writes for event in write.events]
    are_alone = any(map(is_alone, appends))
    return [
        *_stream_arguments(streams),
        None,
        None,
        *columns(events),
        _tags(events),
        are_alone,
        *(_NO_KEYS if are_alone else _key_arguments(appends)),
        *_blocking_arguments(appends),
        *_condition_arguments(appends),
    ]


def placed_arguments(append: Append, placed: Sequence[Placed]) -> list[Any]:
    """Give them for what ``Append.settle`` lets be written of an import."""
    first: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for stream_id, version, _ in placed:
        first.setdefault(stream_id, version - 1)
        sizes[stream_id] = sizes.get(stream_id, 0) + 1
    numbers = {stream_id: number for number, stream_id in enumerate(first, 1)}
    streams = [
        _Stream(stream_id, before, sizes[stream_id], 1) for stream_id, before in first.items()
    ]
    events = [event for _, _, event in placed]
    are_alone = is_alone(append)
    return [
        *_stream_arguments(streams),
        numbers_text([numbers[stream_id] for stream_id, _, _ in placed]),
        numbers_text([version - first[stream_id] for stream_id, version, _ in placed]),
        *columns(events),
        _tags(events),
        are_alone,
        *(_NO_KEYS if are_alone else _key_arguments([append])),
        *(None,) * 10,
    ]


def item_texts(items: Iterable[QueryItem]) -> tuple[list[str | None], list[str | None]]:
    """Give the tags and the types of items; those that nothing can match are left out."""
    tags: list[str | None] = []
    types: list[str | None] = []
    for item in items:
        names = None if item.event_types is None else sorted(filter(_is_kept, item.event_types))
        if names != []:
            tags.append(_item_tags(item))
            types.append(None if names is None else "\n".join(names))
    return tags, types


def seen_text(condition: Condition) -> str | None:
    """Give the positions that a reader has seen above the horizon."""
    return numbers_text(sorted(condition.seen)) if condition.seen else None


def horizon_of(condition: Condition) -> int:
    """Give the horizon of a condition as the server can hold it."""
    return min(condition.horizon, LARGEST_INTEGER)


def _is_kept(name: str) -> bool:
    """Tell whether a store can hold an event of this type."""
    return is_text(name) and "\n" not in name


def _item_tags(item: QueryItem) -> str | None:
    """Give the tags of an item, the one that is locked first."""
    if not item.tags:
        return None
    leading = leading_tag(item.tags)
    return "\n".join([leading, *sorted(item.tags - {leading})])


def _streams(append: Append, number: int) -> Iterator[_Stream]:
    for stream_id, events, expected in append.writes:
        yield _Stream(stream_id, expected_number(expected), len(events), number)
    for stream_id, version in append.requires:
        yield _Stream(stream_id, min(version, LARGEST_INTEGER), 0, number)


def _stream_arguments(streams: Sequence[_Stream]) -> list[Any]:
    ids, expected, sizes, appends = zip(*streams, strict=True)
    turns = sorted(range(1, len(ids) + 1), key=lambda number: ids[number - 1])
    return [
        ids,
        numbers_text(expected),
        None if sizes.count(1) == len(sizes) else numbers_text(sizes),
        numbers_text(appends),
        numbers_text(turns),
    ]


def _tags(events: Sequence[EncodedEvent]) -> list[str | None] | None:
    tags = [None if event.tags is None else "\n".join(event.tags) for event in events]
    return None if tags.count(None) == len(tags) else tags


_NO_KEYS = (None, None, None)


def _key_arguments(appends: Sequence[Append]) -> Sequence[Any]:
    """Give the locks in the order in which they are taken."""
    locks = in_order(
        (key, is_shared, number)
        for number, append in enumerate(appends, 1)
        for key, is_shared in keys_of(append)
    )
    if not locks:
        return _NO_KEYS
    keys, are_shared, numbers = zip(*locks, strict=True)
    return numbers_text(keys), [not is_shared for is_shared in are_shared], numbers_text(numbers)


def _blocking_arguments(appends: Sequence[Append]) -> tuple[str | None, str | None]:
    """Give which append must be left out if which earlier one is written."""
    by_tag: dict[str, list[tuple[int, EncodedEvent]]] = {}
    events: list[tuple[int, EncodedEvent]] = []
    pairs: list[tuple[int, int]] = []
    if any(append.condition is not None for append in appends):
        for number, append in enumerate(appends, 1):
            blockers = {
                earlier
                for item in items_of(append)
                for earlier, event in (
                    by_tag.get(leading_tag(item.tags), ()) if item.tags else events
                )
                if _matches(item, event)
            }
            pairs += [(blocker, number) for blocker in sorted(blockers)]
            for write in append.writes:
                for event in write.events:
                    events.append((number, event))
                    for tag in event.tags or ():
                        by_tag.setdefault(tag, []).append((number, event))
    if not pairs:
        return None, None
    return numbers_text(one for one, _ in pairs), numbers_text(other for _, other in pairs)


def _matches(item: QueryItem, event: EncodedEvent) -> bool:
    """Tell what ``QueryItem.matches`` does, of an event that has no place yet."""
    is_of_type = item.event_types is None or event.event_type in item.event_types
    return is_of_type and item.tags.issubset(event.tags or ())


def _condition_arguments(appends: Sequence[Append]) -> Sequence[Any]:
    numbered = [
        (number, append.condition)
        for number, append in enumerate(appends, 1)
        if append.condition is not None
    ]
    if not numbered:
        return (None,) * 8
    owners: list[int] = []
    tags: list[str | None] = []
    types: list[str | None] = []
    for place, (_, condition) in enumerate(numbered, 1):
        more_tags, more_types = item_texts(condition.items)
        owners += [place] * len(more_tags)
        tags += more_tags
        types += more_types
    witnesses = [condition.witness for _, condition in numbered]
    return (
        numbers_text(number for number, _ in numbered),
        numbers_text(horizon_of(condition) for _, condition in numbered),
        [seen_text(condition) for _, condition in numbered],
        _nullable(None if witness is None else str(witness.position) for witness in witnesses),
        _nullable(None if witness is None else witness.event_id.hex() for witness in witnesses),
        numbers_text(owners),
        tags,
        types,
    )


def _nullable(texts: Iterable[str | None]) -> str:
    return f"{{{','.join('null' if text is None else text for text in texts)}}}"
