"""Frozen files: the layout of one event type, and examples as one serializer has written them."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import shown
from eventsourcing_core._payloads.serializer import JsonSerializer
from eventsourcing_core.evolution._layouts.layout import Layout, layout_from_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT, FORMAT_VERSION = "eventsourcing-frozen", 1
_WIDTH = 100
_LONGEST = 150  # characters; systems allow 255 bytes, with the number and the ending
_SUM = "sha256"
_json = JsonSerializer()


class FrozenFileError(ValueError):
    """A frozen file cannot be used: it was changed by hand, or is none."""


class Example(NamedTuple):
    """An event as it was stored, and as it was read then."""

    stored: bytes
    """What the serializer wrote."""
    value: Any
    """The payload as a tree: see ``portrayed``."""


class FrozenFile(NamedTuple):
    """What one frozen file holds."""

    event_type: str
    """The stored name of the type."""
    number: int
    """1 for the first layout that was frozen of this type, 2 for the next one, and so on."""
    serializer: str
    """The name of the serializer."""
    layout: Layout
    """The layout of the class."""
    examples: tuple[Example, ...]
    """At least one."""

    def path_in(self, folder: Path) -> Path:
        """Give the place of the file, which is its own."""
        return folder / self.serializer / f"{_file_name(self.event_type)}.{self.number}.json"

    @property
    def text(self) -> str:
        """The text of the file, the same for the same content."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "event_type": self.event_type,
            "number": self.number,
            "serializer": self.serializer,
            "layout": self.layout.as_json(),
            "examples": [self._example_as_json(example) for example in self.examples],
        }
        return f"{_pretty(content | {_SUM: _sum_of(content)}, '')}\n"

    def _example_as_json(self, example: Example) -> dict[str, Any]:
        stored: Any = {"base64": base64.b64encode(example.stored).decode()}
        if self.serializer == _json.name:
            tree: object = json.loads(example.stored)
            if _compact(tree).encode() == example.stored:
                stored = {"json": tree}
        return {"stored": stored, "value": json.loads(_json.serialize(example.value))}


def read_frozen(path: Path) -> FrozenFile:
    """Read a frozen file.

    Raises:
        FrozenFileError: It was changed by hand, is of a newer format, or is no frozen file.
        OSError: It cannot be read.
    """
    try:
        found: Any = json.loads(path.read_text("utf-8"))
        is_one = found["format"] == FORMAT
    except (ValueError, TypeError, LookupError):
        is_one, found = False, None
    if not is_one:
        message = f"{path} is no frozen file: restore it from version control, or delete it"
        raise FrozenFileError(message)
    if found.get("format_version") != FORMAT_VERSION:
        version = shown(found.get("format_version"))
        message = f"{path} has the format version {version}: upgrade eventsourcing-core to read it"
        raise FrozenFileError(message)
    written = found.pop(_SUM, None)
    if written != _sum_of(found):
        message = (
            f"{path} was changed by hand: restore it from version control; an example that was "
            "frozen once is what is in stores, and stays"
        )
        raise FrozenFileError(message)
    examples = [Example(_stored(each), _value(each)) for each in found["examples"]]
    return FrozenFile(
        found["event_type"],
        found["number"],
        found["serializer"],
        layout_from_json(found["layout"]),
        tuple(examples),
    )


def frozen_paths(folder: Path, event_type: str | None = None) -> list[Path]:
    """Give the frozen files of a folder by serializer, type and number; none if it is not there.

    Args:
        folder: What ``freeze`` was given.
        event_type: Only files that have its name; those of very long names may be of others.
    """
    paths = sorted(folder.glob("*/*.json"), key=_by_number)
    if event_type is None:
        return paths
    name = _file_name(event_type)
    return [path for path in paths if path.stem.rpartition(".")[0] == name]


def newest(files: Iterable[FrozenFile]) -> dict[str, FrozenFile]:
    """Give of each event type the file with the highest number."""
    return {each.event_type: each for each in sorted(files, key=lambda each: each.number)}


def _file_name(event_type: str) -> str:
    """Give what the names of a type's files begin with, on every system."""
    name = re.sub(
        r"[^\w.-]",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()),
        event_type,
        flags=re.ASCII,
    )
    return name[:_LONGEST]


def _by_number(path: Path) -> tuple[str, str, int, str]:
    name, _, number = path.stem.rpartition(".")
    return path.parent.name, name, int(number) if number.isdecimal() else 0, path.name


def _stored(example: Any) -> bytes:
    stored = example["stored"]
    if "json" in stored:
        return _compact(stored["json"]).encode()
    return base64.b64decode(stored["base64"])


def _value(example: Any) -> Any:
    return _json.deserialize(_compact(example["value"]).encode())


def _compact(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _sum_of(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _pretty(tree: Any, indent: str) -> str:
    """Write JSON for people: what fits into a line stands in one."""
    text = json.dumps(tree, ensure_ascii=False)
    if len(indent) + len(text) <= _WIDTH or not (tree and isinstance(tree, dict | list)):
        return text
    inner = f"{indent}  "
    if isinstance(tree, list):
        items, (begin, end) = [_pretty(item, inner) for item in tree], "[]"
    else:
        items, (begin, end) = [_line(key, item, inner) for key, item in tree.items()], "{}"
    lines = ",\n".join(f"{inner}{item}" for item in items)
    return f"{begin}\n{lines}\n{indent}{end}"


def _line(key: str, item: Any, indent: str) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}: {_pretty(item, indent)}"
