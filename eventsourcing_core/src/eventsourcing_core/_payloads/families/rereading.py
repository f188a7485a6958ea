"""Objects that are made again when they are written: would they come back equal?"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core._payloads.families.family import PayloadClass


def made_again(
    cls: type,
    described: PayloadClass,
    encode: Callable[[Any], Any],
    decode: Callable[[Any], Any],
) -> Callable[[Any], Any]:
    """Give an ``encode`` that refuses an object which reading would not give back equal.

    A class's validators may change what they are given, or refuse it: an object can be made without
    them, and a default without a check. So each object is made again when it is written.
    """
    stored = tuple(field.name for field in described.fields)

    def encode_checked(value: Any) -> Any:
        tree = encode(value)
        made = decode(tree)
        for name in (*stored, *described.unstored):
            if _differ(getattr(value, name, None), getattr(made, name, None)):
                # What no class keeps, such as the fold of a time, is no fault of this one.
                if name in stored and repr(encode(made)) == repr(tree):
                    continue
                message = (
                    f"{shortened(cls.__name__)}.{name} would be another value when it is read, as "
                    "the class makes another one of what it is given: let its validators check "
                    "values, and not change those that they have made"
                )
                raise SerializationError(message)
        return tree

    return encode_checked


def _differ(one: object, other: object) -> bool:
    try:
        differ = bool(one != other)
    except Exception:  # noqa: BLE001 - a NaN that signals, say
        differ = True
    return differ and repr(one) != repr(other)  # NaN differs from itself
