"""What is stored of a model of pydantic, and how it is made again."""

# Models have hints of any kind.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import PydanticUndefined

from eventsourcing_core import SerializationError
from eventsourcing_core.plugins import PayloadClass, PayloadField

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

_annotated: Any = Annotated  # as a type that is made at run time

_FROZEN = "model_config = ConfigDict(frozen=True)"


class PydanticFamily:
    """Describes the models of pydantic.

    Fields are stored by their names in Python: aliases are for pydantic's own JSON, as are its
    serializers and ``exclude``. A ``RootModel`` has one field, ``root``. Private attributes and
    computed fields are not stored.
    """

    name = "pydantic"

    def describe(self, cls: type) -> PayloadClass | None:
        """Describe a model; None if the class is none.

        Raises:
            SerializationError: Its objects could not come back equal; names the field and the cure.
        """
        if not issubclass(cls, BaseModel):
            return None
        _check(cls)
        fields = tuple(_field(cls, name, info) for name, info in cls.model_fields.items())
        is_frozen = cls.model_config.get("frozen") or (
            fields and all(info.frozen for info in cls.model_fields.values())
        )
        return PayloadClass(
            fields,
            _making(cls),
            unstored=tuple(cls.__private_attributes__),
            unfrozen="" if is_frozen else _FROZEN,
        )


def _check(cls: type[BaseModel]) -> None:
    """Refuse what would not come back equal, whatever its values."""
    if not cls.__pydantic_complete__ and cls.model_rebuild(raise_errors=False) is not True:
        raise _refused(
            cls, "its hints use names that are not defined", "define them, at module level, before"
        )
    if cls.model_config.get("extra") == "allow":
        raise _refused(cls, "extra='allow' keeps fields without a type", "add a field for them")
    if cls.model_config.get("use_enum_values"):
        raise _refused(cls, "use_enum_values puts values where members are due", "leave it out")
    if getattr(cls, "__pydantic_custom_init__", False):
        raise _refused(cls, "it has an __init__ of its own", "check values in validators")


def _field(cls: type[BaseModel], name: str, info: FieldInfo) -> PayloadField:
    hint: Any = info.annotation
    if info.metadata:
        hint = _annotated[(hint, *info.metadata)]
    if info.default_factory is not None:
        if info.default_factory_takes_validated_data:
            raise _refused(
                cls,
                f"the default_factory of {name} takes other fields",
                "make it a factory without arguments, or a computed field",
            )
        return PayloadField(name, hint, factory=cast("Callable[[], Any]", info.default_factory))
    if info.default is PydanticUndefined:
        return PayloadField(name, hint)
    return PayloadField(name, hint, default=info.get_default)  # a copy each time


def _making(cls: type[BaseModel]) -> Callable[..., object]:
    """Give what makes a model of its fields: as its constructor does, but by their names."""
    validator, is_root = cls.__pydantic_validator__, issubclass(cls, RootModel)

    def make(**fields: Any) -> object:
        given = fields["root"] if is_root else fields
        try:
            return validator.validate_python(given, by_name=True, by_alias=False)
        except ValidationError as error:  # its text holds the values
            said = "; ".join(
                f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
                for each in error.errors(
                    include_url=False, include_context=False, include_input=False
                )
            )
            message = f"{cls.__name__} refuses what is stored: {said}"
            raise ValueError(message) from None

    return make


def _refused(cls: type[BaseModel], why: str, cure: str) -> SerializationError:
    return SerializationError(f"{cls.__qualname__} cannot be stored: {why}; {cure}")
