"""What is stored of a class of attrs, and how its objects are made again."""

# Classes have hints of any kind.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from eventsourcing_core import SerializationError
from eventsourcing_core.plugins import PayloadClass, PayloadField

if TYPE_CHECKING:
    from collections.abc import Callable

_FACTORY: Any = attrs.Factory  # a class, which type checkers take for a function


class AttrsFamily:
    """Describes the classes of attrs.

    Fields are stored by the names of the attributes: aliases are only for the constructor.
    """

    name = "attrs"

    def describe(self, cls: type) -> PayloadClass | None:
        """Describe a class of attrs; None if the class is none.

        Raises:
            SerializationError: Its objects could not come back equal; names the field and the cure.
        """
        if not attrs.has(cls):
            return None
        _check(cls)
        attributes: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
        fields = tuple(_field(cls, attribute) for attribute in attributes)
        aliases = {attribute.name: attribute.alias or attribute.name for attribute in attributes}
        is_frozen = attrs.inspect(cls).is_frozen
        return PayloadClass(
            fields, _making(cls, aliases), unfrozen="" if is_frozen else "@attrs.frozen"
        )


def _check(cls: type) -> None:
    """Refuse what would not come back equal, whatever its values."""
    if "__attrs_attrs__" not in vars(cls):
        raise _refused(
            cls, "it is below a class of attrs, and none itself", "decorate it with @attrs.frozen"
        )
    if not attrs.inspect(cls).added_init:
        raise _refused(
            cls, "it has an __init__ of its own", "use that of attrs, and check in validators"
        )
    equals: object = cls.__eq__
    if equals is object.__eq__:
        raise _refused(cls, "with eq=False nothing would equal it", "leave eq=False out")
    try:
        attrs.resolve_types(cls, localns={cls.__name__: cls})
    except (NameError, TypeError) as error:
        message = f"its hints cannot be evaluated ({error})"
        cure = "define the names that they use, at module level, before"
        raise _refused(cls, message, cure) from error


def _field(cls: type, attribute: attrs.Attribute[Any]) -> PayloadField:
    name, hint = attribute.name, attribute.type
    default: Any = attribute.default
    if hint is None:
        raise _refused(cls, f"{name} has no type", "annotate it")
    if not attribute.init:
        raise _refused(
            cls,
            f"{name} is no argument of the constructor (init=False)",
            "make it a property, or an argument",
        )
    if attribute.converter is not None:
        raise _refused(
            cls,
            f"the converter of {name} may change what is read",
            "convert in a classmethod, and check with a validator",
        )
    if default is attrs.NOTHING:
        return PayloadField(name, hint)
    if isinstance(default, _FACTORY):
        if default.takes_self:
            raise _refused(
                cls,
                f"the default of {name} takes other fields",
                "make it a factory without arguments, or a property",
            )
        return PayloadField(name, hint, factory=default.factory)
    return PayloadField(name, hint, default=lambda: default)


def _making(cls: Callable[..., object], aliases: dict[str, str]) -> Callable[..., object]:
    """Give what makes an object of its fields, by the names that the constructor has for them."""

    def make(**fields: object) -> object:
        return cls(**{aliases[name]: value for name, value in fields.items()})

    return make


def _refused(cls: type, why: str, cure: str) -> SerializationError:
    return SerializationError(f"{cls.__qualname__} cannot be stored: {why}; {cure}")
