"""Unions: each value is stored with the name of its member.

A tree without a tag is older than the union: the hint was one type then, and nothing says which. It
is read as the one member that can have written it. Where several can, reading refuses: an old value
must not become another one.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, NamedTuple, get_origin

from eventsourcing_core._errors import SerializationError, shortened
from eventsourcing_core._payloads.defaults import ChangingDefaultError
from eventsourcing_core._payloads.hints import Conversion, Convert, wrong
from eventsourcing_core._payloads.shapes import OtherShape
from eventsourcing_core._payloads.tags import (
    TAG,
    UNION_NAMES,
    VALUE,
    is_tagged,
    wrong_tag,
)

_LISTED = 200
"""How much of the names of a union's members a message shows, in characters."""


class UnclearValueError(ValueError):
    """An old tree that several members can have written."""


class Member(NamedTuple):
    """One type of a union."""

    name: str
    """What is stored as the tag."""
    kind: Any
    """The type of its values; of ``list[int]``, it is ``list``."""
    conversion: Conversion
    """How its values become trees, and come back."""


def union_of(hints: list[tuple[Any, Conversion]], where: str) -> Conversion:
    """Store the name of the member beside its tree, so that a member added later changes nothing.

    Raises:
        SerializationError: Two of the types have one name.
    """
    members = [_member(hint, conversion) for hint, conversion in hints]
    # By name, as the order of the hint is not to be relied on: typing caches what it makes.
    members.sort(key=lambda member: member.name)
    names = [member.name for member in members]
    listed = shortened(" or ".join(names), _LISTED)
    if len(set(names)) < len(names):
        message = f"{where} is a union of two types with one name ({listed}): rename one"
        raise SerializationError(message)
    encode, decode = _encoder(members, listed, where), _decoder(members, listed, where)
    return Conversion(encode, decode, shape=OtherShape(f"{where} is a union"))


def _encoder(members: list[Member], listed: str, where: str) -> Convert:
    """Give the function: value to tree, with the name of the member that takes it."""
    by_kind = {member.kind: member for member in members}
    own = {member.kind: (member.name, member.conversion.encode) for member in members}

    def encode(value: Any) -> dict[str, Any]:
        refusal: SerializationError | None = None
        if type(value) in own:
            name, convert = own[type(value)]
            try:
                return {TAG: name, VALUE: convert(value)}
            except SerializationError as error:
                refusal = error  # another member may be a dict, too
        for member in _takers(type(value), by_kind, members):
            try:
                return {TAG: member.name, VALUE: member.conversion.encode(value)}
            except SerializationError:
                continue
        raise refusal or wrong(value, listed, where)

    return encode


def _decoder(members: list[Member], listed: str, where: str) -> Convert:
    """Give the function: tree to value, by the name in it; or by what can have written it."""
    decoders = {member.name: member.conversion.decode for member in members}

    def decode(tree: Any) -> Any:
        convert: Convert | None = None
        try:
            convert, inner = decoders[tree[TAG]], tree[VALUE]
        except (KeyError, TypeError):  # no tag, or another one
            inner = None
        if convert is None or len(tree) != 2:  # noqa: PLR2004 - the tag and the value
            return decode_other(tree)
        return convert(inner)

    def decode_other(tree: Any) -> Any:
        if not is_tagged(tree):
            return _of_old(tree, members, where)
        if tree[TAG] in UNION_NAMES:
            return decode(tree[VALUE])
        raise wrong_tag(tree[TAG], listed, where)

    return decode


def _member(hint: Any, conversion: Conversion) -> Member:
    kind = get_origin(hint) or hint
    return Member(getattr(kind, "__name__", str(kind)), kind, conversion)


def _takers(kind: type, by_kind: dict[Any, Member], members: list[Member]) -> list[Member]:
    """Give the members that may take a value: that of its class, of its bases, and the others."""
    nearest = [by_kind[base] for base in kind.__mro__ if base in by_kind]
    return nearest + [member for member in members if member not in nearest]


def _of_old(tree: Any, members: list[Member], where: str) -> Any:
    """Read a tree of the time when the hint was one type alone."""
    possible = [member for member in members if _has_form(member.conversion, tree)]
    if len(possible) == 1:
        return possible[0].conversion.decode(tree)

    found: list[tuple[Member, Any]] = []
    for member in possible:
        try:
            found.append((member, member.conversion.decode(tree)))
        except UnclearValueError:  # each level of a deep tree would be read once more
            raise
        except ChangingDefaultError:  # it can have written the tree all the same
            raise
        except (ValueError, TypeError, LookupError):
            continue
    written = [each for each in found if _is_written_by(tree, *each)]
    # What a plain type has written may look like anything; but who widens a Decimal by str has
    # stored decimals. An empty dict says nothing, but that a class with fields did not write it.
    telling = [each for each in written if each[0].conversion.is_plain is (tree == {})]
    left = telling or written or found
    if not left:
        raise wrong(tree, shortened(" or ".join(member.name for member in members), _LISTED), where)
    (_, value), *others = left
    if any(type(other) is not type(value) or other != value for _, other in others):
        raise _unclear(left, where)
    return value


def _has_form(conversion: Conversion, tree: Any) -> bool:
    if conversion.forms is not None and type(tree) not in conversion.forms:
        return False
    return conversion.keys is None or conversion.keys >= tree.keys()


def _is_written_by(tree: Any, member: Member, value: Any) -> bool:
    if type(tree) is dict and not member.conversion.former.isdisjoint(tree):
        return True  # in an older form, so that it cannot be compared with what is written now
    try:
        return _holds(member.conversion.encode(value), tree)
    except (ValueError, TypeError, LookupError):
        return False


def _holds(written: Any, tree: Any) -> bool:
    """Tell whether what is written today holds all that a tree does, in the same form.

    A class may have got fields since, and a hint inside may have become a union or ended to be one.
    """
    if is_tagged(written) is not is_tagged(tree):
        inner = (written[VALUE], tree) if is_tagged(written) else (written, tree[VALUE])
        return _holds(*inner)
    if type(written) is not type(tree):
        return False
    if type(tree) is dict:
        return all(key in written and _holds(written[key], item) for key, item in tree.items())
    if type(tree) is list:
        return len(written) == len(tree) and all(map(_holds, written, tree))
    return bool(written == tree or (written != written and tree != tree))  # noqa: PLR0124 - NaN


def _unclear(found: list[tuple[Member, Any]], where: str) -> UnclearValueError:
    names = shortened(" or ".join(member.name for member, _ in found), _LISTED)
    return UnclearValueError(
        f"{where} was stored when its hint was one type, and can be {names}: nothing says which; "
        "keep the old hint in this event class, and give the new one an event type of its own"
    )
