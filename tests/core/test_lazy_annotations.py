"""Annotations with names that are not there: since Python 3.14 they are evaluated when asked for.

On older Pythons the same classes are tried with annotations that are strings.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Repository, SerializationError, SnapshotError
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = """
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Optional
from eventsourcing_core import Aggregate, Event, Transient, event

if TYPE_CHECKING:
    from elsewhere import Unknown

@event("lazy.grown")
class Grown:
    name: str
    left: Grown | None = None
    right: Optional["Grown"] = None
    more: tuple[Grown, ...] = ()

class Tree(Aggregate):
    category = "lazy"
    limit: ClassVar[Unknown] = 3
    limits: ClassVar[dict[str, Unknown]] = {}
    grown: Grown | None = None
    cache: Transient[dict[str, int]]

    def grow(self, payload: Unknown):
        self._record(payload)

    def apply(self, event: Event[Grown | Unknown]):
        self.grown = event.data

class Known(Tree):
    known: Unknown | None = None
    nodes: list[Known]

def refused(hint):
    if hint == "plain":
        @event("lazy.refused")
        class Refused:
            plain: Unknown
    else:
        @event("lazy.refused")
        class Refused:
            inner: dict[str, list[Unknown]]
"""


@pytest.fixture
def lazy() -> Iterator[Any]:
    """Give the module of that source."""
    module = ModuleType("a_lazy_module")
    sys.modules[module.__name__] = module
    before = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
    code = compile(before + SOURCE, module.__name__, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - the source is the one above
    yield module
    del sys.modules[module.__name__]


async def test_an_event_class_refers_to_itself(lazy: Any) -> None:
    one, grown = lazy.Grown("one"), lazy.Grown("two")
    grown = lazy.Grown("three", one, grown, (one, grown))
    trees: Repository[Any] = Repository(InMemoryEventStore(), lazy.Tree)
    tree = lazy.Tree("1")
    tree.grow(grown)
    await trees.save(tree)
    assert (await trees.load("1")).grown == grown
    assert tree.snapshot_state()["grown"]["more"][1]["name"] == "two"


async def test_an_aggregate_may_have_what_only_type_checkers_know(lazy: Any) -> None:
    trees: Repository[Any] = Repository(InMemoryEventStore(), lazy.Known)
    tree = lazy.Known("1")
    tree.grow(lazy.Grown("one"))
    await trees.save(tree)
    assert (await trees.load("1")).grown == lazy.Grown("one")
    with pytest.raises(SnapshotError, match="the annotation of Known.known cannot be evaluated"):
        tree.snapshot_state()


@pytest.mark.parametrize("hint", ["plain", "inner"])
def test_an_event_may_not(lazy: Any, hint: str) -> None:
    refused: Callable[[str], None] = lazy.refused
    with pytest.raises(
        SerializationError, match="evaluated: NameError: name 'Unknown' is not defined; the"
    ):
        refused(hint)
