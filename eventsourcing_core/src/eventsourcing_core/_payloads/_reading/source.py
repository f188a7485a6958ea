"""The source of the function that takes a tree apart into the fields of a class.

A field that is missing takes its default, or is read under a former name. What the class has not is
found by counting: no key is looked at for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._payloads._reading.field import Field


def decode_source(fields: list[Field], is_checked: bool) -> list[str]:  # noqa: FBT001 - whether the constructor computes more
    """Give the lines of ``decode``, but for those that build the object.

    They name ``decode0``, ``atom0``, ``default0`` … of the fields, and ``not_a_dict``, ``has_tag``,
    ``untagged``, ``former`` and ``unknown``.
    """
    lines = ["def decode(tree):", "  if type(tree) is not dict: not_a_dict(tree)"]
    if is_checked:
        lines.append("  missing = 0")
    can_lack = any(field.default is not None for field in fields)
    if can_lack:
        lines.append("  count = len(tree)")
    if not fields:
        lines += _UNTAG
    for number, field in enumerate(fields):
        # A tree with a tag has no field, so that it is found out where the first one is missing.
        untag = _UNTAG if number == 0 else []
        if field.default is not None:
            lines.append(f"  if {field.name!r} not in tree:")
            lines += [f"  {line}" for line in untag]
            lines += [f"    {line}" for line in _missing_source(number, field, is_checked)]
            lines.append("  else:")
            lines += [f"    {line}" for line in _present_source(number, field)]
        elif untag or field.former:
            lines.append(f"  try: v{number} = tree[{field.name!r}]")
            lines.append("  except KeyError:")
            lines += [f"  {line}" for line in untag]
            if field.former:
                lines.append(f"    key = former(tree, {field.former!r})")
                lines.append("    if key is None: raise")
                lines += [f"    {line}" for line in _read_source(number, field, "key")]
                lines.append("  else:")
                lines += [f"    {line}" for line in _present_source(number, field)[1:]]
            else:
                lines.append("    raise")
                lines += [f"  {line}" for line in _converted_source(number, field)]
        else:
            lines += [f"  {line}" for line in _present_source(number, field)]
    # Each field that the class has was found, or is counted: what is more, it has not.
    counted = "count" if can_lack else "len(tree)"
    return [*lines, f"  if {counted} != {len(fields)}: unknown(tree)"]


def _missing_source(number: int, field: Field, is_checked: bool) -> list[str]:  # noqa: FBT001 - as above
    """Give the lines for a field with a default that is missing under its name."""
    taken = [f"v{number} = default{number}()", "count += 1"]
    if is_checked:
        taken.append(f"missing |= {1 << number}")
    if not field.former:
        return taken
    return [
        f"key = former(tree, {field.former!r})",
        "if key is None:",
        *(f"  {line}" for line in taken),
        "else:",
        *(f"  {line}" for line in _read_source(number, field, "key")),
    ]


def _present_source(number: int, field: Field) -> list[str]:
    """Give the lines for a field that stands under its name, and so under no former one."""
    both = [f"if {each!r} in tree: former(tree, {(field.name, each)!r})" for each in field.former]
    first, *others = _read_source(number, field, repr(field.name))
    return [first, *both, *others]


def _read_source(number: int, field: Field, key: str) -> list[str]:
    return [f"v{number} = tree[{key}]", *_converted_source(number, field)]


def _converted_source(number: int, field: Field) -> list[str]:
    if field.atom is None:
        return [f"v{number} = decode{number}(v{number})"]
    return [f"if type(v{number}) is not atom{number}: v{number} = decode{number}(v{number})"]


def former_in(tree: dict[str, Any], names: Sequence[str]) -> str | None:
    """Give the one of some names of a field that a tree has; None if it has none.

    Raises:
        SerializationError: It has several: nothing says which value is the right one.
    """
    found = [name for name in names if name in tree]
    if len(found) > 1:
        message = (
            f"one field is stored as {shown(found[0])} and as {shown(found[1])}: nothing says "
            "which is right; let an upcaster decide"
        )
        raise SerializationError(message)
    return found[0] if found else None


_UNTAG = ["  if has_tag(tree): return decode(untagged(tree, cls.__name__, cls.__name__))"]
