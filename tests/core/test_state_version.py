"""Which changes of a class make its snapshots unusable, and which do not."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core._snapshots.state_version import state_version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "a_module_of_this_test"

SOURCE = """
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Literal, NotRequired, TypedDict
from eventsourcing_core import Aggregate, Transient

class Colour(Enum):
    RED = 1
    GREEN = 2

class Options(TypedDict):
    loud: bool

@dataclass
class Part:
    n: int
    colour: Colour

@dataclass
class Line:
    parts: list[Part]
    options: Options

class Base(Aggregate):
    inherited: int = 0

class Held(Base):
    category = "held"
    state_version = 1
    first: int = 0
    lines: dict[str, Line]
    either: int | str = 0
    few: Literal["a", "b"] = "a"
    once: Final[int]
    MOST: Final = 5

    def apply(self, event):
        self.first += 1
"""


@pytest.fixture(autouse=True)
def without_the_module() -> Iterator[None]:
    yield
    sys.modules.pop(NAME, None)


def version_of(source: str, name: str = NAME, cls: str = "Held") -> str:
    """Give the state version of a class in a module of that source."""
    spec = spec_from_loader(name, loader=None)
    assert spec is not None
    module: Any = module_from_spec(spec)
    sys.modules[name] = module
    exec(source, vars(module))  # noqa: S102 - the source is the one above
    return state_version_of(getattr(module, cls))


def changed(old: str, new: str) -> str:
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("state_version = 1", "state_version = 2"),
        ("inherited: int = 0", "inherited: int = 0\n    state_version = 2"),
        ("first: int = 0", "second: int = 0"),
        ("first: int = 0", "first: float = 0"),
        ("first: int = 0", "first: int | None = 0"),
        ("first: int = 0", "first: int = 0\n    added: int = 0"),
        ("    first: int = 0\n", ""),
        ("dict[str, Line]", "dict[int, Line]"),
        ("dict[str, Line]", "list[Line]"),
        ("inherited: int", "inherited: str"),
        ("n: int", "m: int"),
        ("n: int", "n: str"),
        ("list[Part]", "tuple[Part, ...]"),
        ("loud: bool", "loud: NotRequired[bool]"),
        ("RED = 1\n    GREEN = 2", "RED = 2\n    GREEN = 1"),
        ("RED = 1", "CRIMSON = 1"),
        ('Literal["a", "b"]', 'Literal["a", "c"]'),
        ("once: Final[int]", "once: Final[str]"),
    ],
)
def test_a_changed_layout_has_another_version(old: str, new: str) -> None:
    assert version_of(changed(old, new)) != version_of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.first += 1", "self.first += 2"),
        ("first: int = 0", "first: int = 1"),
        ("first: int = 0", "first: int = 0\n    LIMIT: ClassVar[int] = 5"),
        ("first: int = 0", "first: int = 0\n    cache: Transient[dict[str, int]]"),
        (
            "    first: int = 0\n    lines: dict[str, Line]\n",
            "    lines: dict[str, Line]\n    first: int = 0\n",
        ),
        ("n: int\n    colour: Colour", "colour: Colour\n    n: int"),
        ("int | str = 0", "str | int = 0"),
        ('Literal["a", "b"]', 'Literal["b", "a"]'),
        ("once: Final[int]", "once: int"),
        ("MOST: Final = 5", "MOST: Final = 6"),
        ("MOST: Final = 5\n", "\n"),
        ('category = "held"', 'category = "kept"'),
    ],
)
def test_what_leaves_the_layout_alone_leaves_the_version(old: str, new: str) -> None:
    assert version_of(changed(old, new)) == version_of(SOURCE)


def test_another_class_of_the_same_layout_has_another_version() -> None:
    renamed = changed('category = "held"', 'category = "other"').replace("Held", "Other")
    assert version_of(renamed, cls="Other") != version_of(SOURCE)
    moved = changed('category = "held"', 'category = "moved"')
    try:
        assert version_of(moved, name=f"{NAME}_too") != version_of(SOURCE)
    finally:
        del sys.modules[f"{NAME}_too"]


def test_the_version_is_the_same_in_every_process() -> None:
    versions: set[str] = set()
    for seed, arguments in (("0", []), ("1", []), ("2", ["reversed"])):
        finished = subprocess.run(  # noqa: S603 - the program lies beside this one
            [sys.executable, str(Path(__file__).with_name("_layouts.py")), *arguments],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        versions.add(finished.stdout)
    assert len(versions) == 1
