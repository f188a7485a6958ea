"""The tag that a union stores beside a value, and what reading makes of it once the hint changed.

A value of a union is stored as ``{"$type": name of its member, "$value": its tree}``, any other as
its tree alone. So where a union was narrowed, its values are still tagged.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

from eventsourcing_core._errors import SerializationError, shortened, shown

TAG, VALUE = "$type", "$value"
"""The keys under which a union stores the member's name and its tree; no field is called so."""

UNION_NAMES = frozenset({"Union", "UnionType"})
"""Tags of unions that stood inside others as ``Annotated[…]``; today their members are tagged."""


def tagged(name: str, tree: Any) -> dict[str, Any]:
    """Give a tree with its tag."""
    return {TAG: name, VALUE: tree}


def has_tag(tree: Any) -> bool:
    """Tell whether a tree has the form that a union stores."""
    return (
        type(tree) is dict
        and len(tree) == 2  # noqa: PLR2004 - the tag and the value
        and TAG in tree
        and VALUE in tree
        and type(tree[TAG]) is str
    )


def is_tagged(tree: Any) -> bool:
    """Tell whether a tree is one that a union has stored.

    A class's name is an identifier; JSON of .NET has the same two keys, and other names.
    """
    return has_tag(tree) and tree[TAG].isidentifier()


def untagged(tree: Any, name: str, where: str) -> Any:
    """Give the tree within a tagged one, where a union was narrowed to one member; else the tree.

    Raises:
        SerializationError: It is of another member.
    """
    while has_tag(tree):
        tag = tree[TAG]
        if tag == name:
            return tree[VALUE]
        if name == "dict" and not tag.isidentifier():
            break  # a dict of the user's
        if tag not in UNION_NAMES:
            raise wrong_tag(tag, name, where)
        tree = tree[VALUE]
    return tree


def wrong_tag(tag: str, expected: str, where: str) -> SerializationError:
    """Give the error for a value of a type that the hint does not name any more."""
    return SerializationError(
        f"{shortened(where)} was stored as {shown(tag)} and now takes {shortened(expected, 200)}: "
        "keep the stored one among its types, under this name, or give the new field another name"
    )
