"""Finding what is stored and no class has: a field that was dropped, or renamed by mistake."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from eventsourcing_core._payloads.tags import TAG, VALUE, has_tag
from eventsourcing_core.evolution._layouts.layout import (
    AliasLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import LONG_TUPLE, UNION, Shape

_Walk = Callable[[Any, set[str]], None]


def unknown_fields(layout: Layout) -> Callable[[Any], Collection[str]]:
    """Give a function that names the fields in a tree that the layout has not.

    It looks into a field only where a class with fields can be within. What is stored in an older
    form is passed over.
    """
    record = layout.record
    root = _Walks(layout).record(layout.root)
    keys = frozenset(name for field in record.fields for name in (field.name, *field.former))
    is_flat = not any(_leads_to_record(field.shape, layout, set()) for field in record.fields)

    def found_in(tree: Any) -> Collection[str]:
        if is_flat and tree.keys() <= keys:
            return ()
        found: set[str] = set()
        root(tree, found)
        return found

    return found_in


def _leads_to_record(shape: Shape, layout: Layout, seen: set[str]) -> bool:
    described = layout.classes.get(shape.kind)
    if isinstance(described, RecordLayout):
        return True
    if isinstance(described, AliasLayout) and shape.kind not in seen:
        return _leads_to_record(described.shape, layout, seen | {shape.kind})
    return any(_leads_to_record(each, layout, seen) for each in shape.of)


class _Walks:
    """Makes functions that go through trees, each class once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._made: dict[str, _Walk] = {}

    def record(self, key: str) -> _Walk:
        """Give what looks into a class's trees."""
        if key in self._made:
            return self._made[key]
        inner: dict[str, _Walk] = {}
        self._made[key] = lambda tree, found: walk(tree, found)  # noqa: PLW0108 - it is not there yet
        record: Any = self._layout.classes[key]
        known = frozenset(name for field in record.fields for name in (field.name, *field.former))
        for field in record.fields:
            if _leads_to_record(field.shape, self._layout, set()):
                look = self._of(field.shape)
                inner |= dict.fromkeys((field.name, *field.former), look)

        def walk(tree: Any, found: set[str]) -> None:
            if has_tag(tree):
                tree = tree[VALUE]
            if type(tree) is not dict:
                return
            found.update(f"{record.name}.{name}" for name in tree.keys() - known)
            for name, look in inner.items():
                if name in tree:
                    look(tree[name], found)

        return walk

    def _of(self, shape: Shape) -> _Walk:  # noqa: PLR0911 - a table of kinds
        described = self._layout.classes.get(shape.kind)
        if isinstance(described, RecordLayout):
            return self.record(shape.kind)
        if isinstance(described, AliasLayout):
            return self._alias(shape.kind, described)
        if shape.kind == UNION:
            return self._union(shape)
        walks = [self._of(each) for each in shape.of]
        if shape.kind == "tuple":
            return _each_its_own(walks)
        if shape.kind == "dict":
            return _values(walks[-1])
        if shape.kind in {"list", "set", "frozenset", LONG_TUPLE} and walks:
            return _items(walks[0])
        return _nowhere

    def _alias(self, key: str, described: AliasLayout) -> _Walk:
        if key not in self._made:
            self._made[key] = lambda tree, found: self._made[key](tree, found)  # noqa: PLW0108 - as above
            self._made[key] = self._of(described.shape)
        return self._made[key]

    def _union(self, shape: Shape) -> _Walk:
        some = [each for each in shape.of if each.kind != "None"]
        if len(some) == 1:
            return self._of(some[0])
        by_name = {self._layout.tag_of(each): self._of(each) for each in some}

        def walk(tree: Any, found: set[str]) -> None:
            if has_tag(tree) and tree[TAG] in by_name:
                by_name[tree[TAG]](tree[VALUE], found)

        return walk


def _nowhere(_tree: Any, _found: set[str]) -> None:
    pass


def _items(look: _Walk) -> _Walk:
    def walk(tree: Any, found: set[str]) -> None:
        for item in tree if type(tree) is list else ():
            look(item, found)

    return walk


def _values(look: _Walk) -> _Walk:
    def walk(tree: Any, found: set[str]) -> None:
        if type(tree) is dict:
            for item in tree.values():
                look(item, found)
        elif type(tree) is list:
            for pair in tree:
                look(pair[1], found)

    return walk


def _each_its_own(walks: list[_Walk]) -> _Walk:
    def walk(tree: Any, found: set[str]) -> None:
        if type(tree) is list and len(tree) == len(walks):
            for look, item in zip(walks, tree, strict=True):
                look(item, found)

    return walk
