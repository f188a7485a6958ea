"""Freezing: a file for each layout of each event type, which is never written again."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._discovery.registry import find_serializer
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import said_of
from eventsourcing_core._events.event import Event
from eventsourcing_core.evolution._file import (
    Example,
    FrozenFile,
    FrozenFileError,
    frozen_paths,
    newest,
    read_frozen,
)
from eventsourcing_core.evolution._layouts.describing import layout_of
from eventsourcing_core.evolution._layouts.examples import trees_of
from eventsourcing_core.evolution._values import differences, portrayed
from eventsourcing_core.stores._rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from eventsourcing_core._events.event_types import EventTypes
    from eventsourcing_core.evolution._layouts.layout import Layout

_MOST = 32
"""How many examples a file holds."""


class Freezing(NamedTuple):
    """What ``freeze`` did."""

    written: tuple[Path, ...]
    """The new files."""
    kept: int
    """How many types, for each serializer, were frozen as they are already."""
    refused: dict[str, str]
    """The types for which no example could be made, each with the reason and the cure."""


def freeze(
    event_types: EventTypes,
    folder: Path,
    serializers: Sequence[str] = ("json",),
    examples: Iterable[object] = (),
) -> Freezing:
    """Write the layout and examples of each event type that is not frozen as it is now.

    What is in the folder stays as it is; a changed layout gets a file beside the one before.

    Args:
        event_types: The registry.
        folder: Where the files are; it is made if need be.
        serializers: The names of serializers; each has a folder of its own.
        examples: Payloads to freeze, for types whose examples are not to be derived of their hints.

    Raises:
        FrozenFileError: A file in the folder was changed by hand.
        UnknownPluginError: No installed plugin offers a serializer.
        UnknownEventTypeError: An example is of a class that is not registered.
    """
    given: dict[str, list[object]] = {}
    for payload in examples:
        given.setdefault(event_types.name_of(type(payload)), []).append(payload)

    written: list[Path] = []
    kept, refused = 0, dict[str, str]()
    for serializer in serializers:
        codec = EventCodec(find_serializer(serializer), event_types=event_types)
        before = newest(_frozen_by(folder, serializer))
        for event_type, cls in sorted(event_types.classes.items()):
            layout, last = layout_of(cls), before.get(event_type)
            if last is not None and last.layout == layout:
                kept += 1
                continue
            try:
                made = _examples_of(event_type, layout, codec, given.get(event_type))
            except ValueError as error:
                refused[event_type] = str(error)
                continue
            number = 1 if last is None else last.number + 1
            file = FrozenFile(event_type, number, serializer, layout, made)
            written.append(_write(file, folder))
    return Freezing(tuple(written), kept, refused)


def unfrozen(event_type: str, cls: type, files: Iterable[FrozenFile]) -> str:
    """Say why an event type is not frozen as it is now; empty if it is.

    Args:
        event_type: Its stored name.
        cls: Its class.
        files: What one serializer's files hold.
    """
    last = newest(files).get(event_type)
    if last is None:
        return "has no frozen example yet"
    if last.layout != layout_of(cls):
        return f"has another layout than in its file {last.number}"
    return ""


def misread(file: FrozenFile, event_types: EventTypes) -> list[str]:
    """Read the examples of a file with the classes of today, and say what comes out wrong.

    Of a type that upcasters take, it is only seen that they are read: what they make of an event is
    another thing than it was.

    Args:
        file: Any that was ever frozen.
        event_types: The registry of today.
    """
    codec = EventCodec(find_serializer(file.serializer), event_types=event_types)
    if file.event_type in event_types.upcasters:
        return _not_upcast(file, codec)
    cls = event_types.classes.get(file.event_type)
    if cls is None:
        message = (
            f"no class is registered for {file.event_type!r}: keep one for as long as there are "
            "such events, or lead on from it with an upcaster, and import its module here"
        )
        return [message]
    names = {
        name for each in layout_of(cls).classes.values() if (name := getattr(each, "name", ""))
    }
    found: list[str] = []
    for number, example in enumerate(file.examples, 1):
        try:
            value = portrayed(_read(codec, file.event_type, example.stored))
        except Exception as error:  # noqa: BLE001 - whatever the class raises
            found.append(f"example {number}: {said_of(error)}")
        else:
            faults = differences(example.value, value, names, cls.__name__)
            found += [f"example {number}: {fault}" for fault in faults]
    return found


def _not_upcast(file: FrozenFile, codec: EventCodec) -> list[str]:
    found: list[str] = []
    for number, example in enumerate(file.examples, 1):
        try:
            for _ in codec.decode([_row(codec, file.event_type, example.stored)]):
                pass
        except Exception as error:  # noqa: BLE001 - whatever the class raises
            found.append(f"example {number}: {said_of(error)}")
    return found


def _frozen_by(folder: Path, serializer: str) -> list[FrozenFile]:
    paths = [path for path in frozen_paths(folder) if path.parent.name == serializer]
    return list(map(read_frozen, paths))


def _examples_of(
    event_type: str, layout: Layout, codec: EventCodec, given: list[Any] | None
) -> tuple[Example, ...]:
    decode = codec.event_types.conversions[event_type].decode
    refusal = ""
    payloads = list[Any](given or ())
    for tree in () if given else trees_of(layout):
        try:
            payloads.append(decode(tree))
        except Exception as error:  # noqa: BLE001 - the class's own checks raise anything
            refusal = refusal or said_of(error)
    if not payloads:
        message = (
            f"no example can be made of the hints, as the class refuses them ({refusal}): give one "
            "with --examples"
        )
        raise ValueError(message)
    made: list[Example] = []
    for payload in payloads[:_MOST]:
        event = Event.of(payload, event_types=codec.event_types)
        stored = codec.encode(event).data
        made.append(Example(stored, portrayed(_read(codec, event_type, stored))))
    return tuple(made)


def _read(codec: EventCodec, event_type: str, stored: bytes) -> Any:
    (event,) = codec.decode([_row(codec, event_type, stored)])
    return event.data


def _row(codec: EventCodec, event_type: str, stored: bytes) -> Row:
    return Row("frozen-1", 1, 1, event_type, stored, None, codec.encoding, bytes(16), 0)


def _write(file: FrozenFile, folder: Path) -> Path:
    path = file.path_in(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(file.text)
    except FileExistsError:
        message = (
            f"{path} is there already, for another event type: this system takes its name for that "
            f"of {file.event_type!r}; freeze on one that tells upper case from lower"
        )
        raise FrozenFileError(message) from None
    return path
