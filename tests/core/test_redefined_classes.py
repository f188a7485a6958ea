"""Classes that are defined again: a module is reloaded, a cell of a notebook is run once more."""

from __future__ import annotations

import importlib
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, Repository, SerializationError
from eventsourcing_core._events.event_types import default_event_types
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    Load = Callable[..., ModuleType]

SHOP = """
from eventsourcing_core import Aggregate, Event, event

@event("redefined.opened")
class Opened:
    owner: str

class Shop(Aggregate):
    category = "redefined"
    owner: str = ""

    def open(self, owner):
        self._record(Opened(owner))

    def apply(self, event: Event[Opened]):
        match event.data:
            case Opened(owner):
                self.owner = owner
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write a module, and import it, or load it again."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions may be of one second

    def load(source: str, name: str = "redefined_shop") -> ModuleType:
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        if name in sys.modules:
            return importlib.reload(sys.modules[name])
        return importlib.import_module(name)

    yield load
    sys.modules.pop("redefined_shop", None)
    sys.modules.pop("another_shop", None)


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore()


async def test_a_reloaded_module_goes_on_with_its_streams(
    load: Load, store: InMemoryEventStore
) -> None:
    shop = load(SHOP)
    first, before = shop.Opened, shop.Shop("1")
    before.open("Ann")
    await Repository(store, shop.Shop).save(before)

    load(SHOP)
    assert shop.Opened is not first
    shops = Repository(store, shop.Shop)
    after: Any = await shops.load("1")
    assert (after.owner, type(after)) == ("Ann", shop.Shop)
    after.open("Bob")
    await shops.save(after)
    assert [type(event.data) async for event in store.read("redefined-1")] == [shop.Opened] * 2
    assert default_event_types.classes["redefined.opened"] is shop.Opened


async def test_what_the_class_made_before_is_read_as_what_it_is_now(
    load: Load, store: InMemoryEventStore
) -> None:
    shop = load(SHOP)
    made: list[Any] = []
    for owner in ("Ann", "Bob"):
        made += [shop.Opened(owner), Event.of(shop.Opened(owner))]
        load(SHOP.replace("owner: str\n\nclass", "owner: str\n    city: str = 'Delft'\n\nclass"))
    await store.append("redefined-1", made, expected_version=0)
    read = [event.data async for event in store.read("redefined-1")]
    assert read == [shop.Opened(owner, "Delft") for owner in ("Ann", "Ann", "Bob", "Bob")]


async def test_what_the_class_cannot_read_any_more_is_not_written(
    load: Load, store: InMemoryEventStore
) -> None:
    shop = load(SHOP)
    made = shop.Opened("Ann")
    load(SHOP.replace("owner: str\n\nclass", "owner: str\n    city: str\n\nclass"))
    with pytest.raises(SerializationError, match=r"Opened was defined again .*KeyError: 'city'"):
        await store.append("redefined-1", [made], expected_version=0)
    assert await store.stream_version("redefined-1") == 0


async def test_a_repository_of_before_says_that_the_class_is_another(
    load: Load, store: InMemoryEventStore
) -> None:
    shop = load(SHOP)
    shops: Repository[Any] = Repository(store, shop.Shop)
    load(SHOP)
    with pytest.raises(TypeError, match="defined again since: make the repository again, too"):
        await shops.save(shop.Shop("1"))


def test_the_same_names_in_another_module_are_refused(load: Load) -> None:
    shop = load(SHOP)
    with pytest.raises(
        ValueError, match=re.escape("registered for redefined_shop.Opened already: choose another")
    ):
        load(SHOP, "another_shop")
    assert default_event_types.classes["redefined.opened"] is shop.Opened

    with pytest.raises(
        ValueError,
        match="redefined_shop.Shop has the category 'redefined' already, and another_shop.Shop",
    ):
        load(SHOP.replace("redefined.opened", "redefined.moved"), "another_shop")


def test_a_cell_of_a_notebook_is_run_again() -> None:
    code = compile(SHOP.replace("redefined", "redefined.cell"), "<cell>", "exec", dont_inherit=True)
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(code, cell)  # noqa: S102 - the source is the one above
    first = cell["Opened"]
    exec(code, cell)  # noqa: S102 - as above
    assert default_event_types.classes["redefined.cell.opened"] is cell["Opened"] is not first
