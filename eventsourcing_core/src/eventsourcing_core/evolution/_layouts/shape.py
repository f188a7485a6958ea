"""What a type hint means for what is stored, as a value and as a text: ``list[Decimal | None]``.

The text is Python's own notation, so that people read it in a diff, and ``ast`` parses it. Classes
of the user's are names, which a ``Layout`` explains.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from eventsourcing_core._errors import shown

UNION, LITERAL, LONG_TUPLE = "|", "Literal", "tuple..."
"""The kinds that are no names of types."""


class Shape(NamedTuple):
    """A hint, without what says nothing of the stored form."""

    kind: str
    """The name of a type or of a class in the layout; or ``|``, ``Literal``, ``tuple...``."""
    of: tuple[Shape, ...] = ()
    """The hints within it; none for the bare ``list`` and ``dict``."""
    values: tuple[str, ...] = ()
    """Those of a ``Literal``, as Python writes them, since ``1 == True``."""

    @property
    def allowed(self) -> tuple[Any, ...]:
        """The values of a ``Literal``."""
        return tuple(map(ast.literal_eval, self.values))

    @property
    def text(self) -> str:
        """The hint as Python writes it; what has no order is sorted."""
        inner = [shape.text for shape in self.of]
        if self.kind == UNION:
            return " | ".join(sorted(inner, key=lambda text: (text == "None", text)))
        if self.kind == LITERAL:
            return f"Literal[{', '.join(sorted(self.values))}]"
        if self.kind == LONG_TUPLE:
            return f"tuple[{inner[0]}, ...]"
        if self.kind == "tuple":
            return f"tuple[{', '.join(inner) or '()'}]"
        return f"{self.kind}[{', '.join(inner)}]" if inner else self.kind


def parsed(text: str) -> Shape:
    """Give the shape of a text.

    Raises:
        ValueError: It is none.
    """
    try:
        return _of(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError):
        message = f"not a type hint: {shown(text)}"
        raise ValueError(message) from None


def _of(node: ast.expr) -> Shape:  # noqa: PLR0911 - a table of forms
    match node:
        case ast.Name(name):
            return Shape(name)
        case ast.Constant(None):
            return Shape("None")
        case ast.BinOp(ast.BinOp(op=ast.BitOr()) as left, ast.BitOr(), right):
            return Shape(UNION, (*_of(left).of, _of(right)))
        case ast.BinOp(left, ast.BitOr(), right):
            return Shape(UNION, (_of(left), _of(right)))
        case ast.Subscript(ast.Name("Literal"), inner):
            return Shape(
                LITERAL, values=tuple(repr(ast.literal_eval(item)) for item in _items(inner))
            )
        case ast.Subscript(ast.Name("tuple"), ast.Tuple([item, ast.Constant(value)])) if (
            value is Ellipsis
        ):
            return Shape(LONG_TUPLE, (_of(item),))
        case ast.Subscript(ast.Name(name), inner):
            return Shape(name, tuple(map(_of, _items(inner))))
        case _:
            raise ValueError


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]
