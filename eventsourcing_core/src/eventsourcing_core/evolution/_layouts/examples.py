"""Examples of what a layout stores: trees in which every choice that it leaves is made once.

They are the same in every process, and such that a hint that reads another's does so by its form
and not by chance: the text is no number, the number no member of an enum.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

from eventsourcing_core._payloads.tags import tagged
from eventsourcing_core.evolution._layouts.layout import (
    OPTIONAL,
    AliasLayout,
    EnumLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import LITERAL, UNION, Shape

_MOST_LEVELS = 3
"""How often a class may stand within itself."""
_MOST = 200
"""How many examples one hint has."""

_LEAVES: dict[str, list[Any]] = {
    "None": [None],
    "bool": [True, False],
    "int": [1729, -40585],
    "float": [2.5, -0.125],
    "str": ["some text, ä"],
    "bytes": [b"\x00\xff"],
    "UUID": ["00000000-0000-4000-8000-00000000a1b2"],
    "datetime": ["2001-02-03T04:05:06.789012+05:30", "2001-02-03T04:05:06"],
    "date": ["2001-02-03"],
    "time": ["04:05:06.789012", "04:05:06+05:30"],
    "timedelta": ["93784000005", "-1"],
    "Decimal": ["12.50", "7"],
    "Any": [{"text": "some text, ä", "list": [1, None]}, "some text, ä", 1729, None, [True]],
    "list": [["some text, ä", 1729, None], []],
    "dict": [{"some text, ä": 1729}, {}],
}
"""By type: what is stored. The bare ones among them."""


class _EndlessError(Exception):
    """A class cannot be without one of itself."""


def trees_of(layout: Layout) -> list[dict[str, Any]]:
    """Give trees of a layout, the fullest first."""
    return _Examples(layout).trees(Shape(layout.root), {})


class _Examples:
    """Makes trees, each kind of shape once for each level.

    Args:
        layout: What explains the names in shapes.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._classes = layout.classes

    def trees(self, shape: Shape, levels: dict[str, int]) -> list[Any]:
        """Give trees of a shape; at least one.

        Args:
            shape: The hint.
            levels: How often each class is around it.

        Raises:
            _EndlessError: There is none that ends.
        """
        if shape.kind in self._classes:
            return self._named(shape.kind, levels)
        if shape.kind == LITERAL:
            return list(shape.allowed)
        if shape.kind == UNION:
            return self._union(shape, levels)
        if not shape.of and shape.kind != "tuple":
            return _LEAVES[shape.kind]
        return self._container(shape, levels)

    def _named(self, key: str, levels: dict[str, int]) -> list[Any]:
        described = self._classes[key]
        if isinstance(described, EnumLayout):
            return list(described.values.values())
        level = levels.get(key, 0)
        if level == _MOST_LEVELS:
            raise _EndlessError
        levels = levels | {key: level + 1}
        if isinstance(described, AliasLayout):
            return self.trees(described.shape, levels)
        return self._record(described, levels)

    def _record(self, record: RecordLayout, levels: dict[str, int]) -> list[Any]:
        columns: dict[str, list[Any]] = {}
        for field in record.fields:
            try:
                columns[field.name] = self.trees(field.shape, levels)
            except _EndlessError:
                if field.if_missing != OPTIONAL:
                    raise
        trees: list[Any] = [
            dict(zip(columns, row, strict=True)) for row in _rows([*columns.values()])
        ]
        optional = {field.name for field in record.fields if field.if_missing == OPTIONAL}
        if optional:
            trees.append({name: each for name, each in trees[0].items() if name not in optional})
        return trees[:_MOST]

    def _union(self, shape: Shape, levels: dict[str, int]) -> list[Any]:
        some = [member for member in shape.of if member.kind != "None"]
        trees: list[Any] = []
        for member in some:
            try:
                found = self.trees(member, levels)
            except _EndlessError:
                continue
            name = self._layout.tag_of(member)
            trees += [tagged(name, tree) for tree in found] if len(some) > 1 else found
        if Shape("None") in shape.of:
            trees.append(None)
        if not trees:
            raise _EndlessError
        return trees[:_MOST]

    def _container(self, shape: Shape, levels: dict[str, int]) -> list[Any]:
        if shape.kind == "tuple":
            columns = [self.trees(item, levels) for item in shape.of]
            return _rows(columns)
        if shape.kind == "dict":
            key, value = shape.of
            return self._dict(key, value, levels)
        try:
            items = self.trees(shape.of[0], levels)
        except _EndlessError:
            return [[]]
        pairs = [_distinct([item, items[(n + 1) % len(items)]]) for n, item in enumerate(items)]
        if shape.kind in {"set", "frozenset"}:
            pairs = [sorted(pair, key=repr) for pair in pairs]
        return [*pairs[:_MOST], []]

    def _dict(self, key: Shape, value: Shape, levels: dict[str, int]) -> list[Any]:
        try:
            keys, values = self.trees(key, levels), self.trees(value, levels)
        except _EndlessError:
            return [{} if key.kind == "str" else []]
        number = max(len(keys), len(values))
        pairs = [[keys[n % len(keys)], values[n % len(values)]] for n in range(number)][:_MOST]
        if key.kind == "str":
            return [*({name: item} for name, item in pairs), {}]
        return [*([pair] for pair in pairs), []]


def _rows(columns: list[list[Any]]) -> list[list[Any]]:
    """Give each item of each column once, beside the first items of those that have no more."""
    number = max(map(len, columns), default=1)
    return [
        [column[n] if n < len(column) else column[0] for column in columns] for n in range(number)
    ]


def _distinct(items: list[Any]) -> list[Any]:
    return items[:1] if items[0] == items[1] else items
