"""Converters: payload objects to trees of builtins and back, by their type hints.

A class is compiled once, when it is registered: every hint becomes a pair of functions, and the
fields of a class become two generated functions that inline the check of plain fields. So a hint
that cannot be stored is refused before any event exists, and no hint is looked at per event.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from enum import Enum
from inspect import Parameter
from typing import Any, Literal, get_args, get_origin

from eventsourcing_core._errors import SerializationError, said_of, shortened, shown
from eventsourcing_core._payloads._reading.field import Field
from eventsourcing_core._payloads._reading.unknown_fields import UnknownFields
from eventsourcing_core._payloads.annotations import (
    former_names_of,
    is_alias,
    is_named_tuple,
    is_required,
    is_struct,
    is_typed_dict,
    is_union,
    members_of,
    unwrapped,
    value_of,
)
from eventsourcing_core._payloads.defaults import made_alike
from eventsourcing_core._payloads.evaluation import hints_of, signature_of
from eventsourcing_core._payloads.families.registry import extra_for, families, is_of_family
from eventsourcing_core._payloads.hints import (
    DICT,
    Conversion,
    anything,
    atom,
    bounded,
    dict_of,
    enum,
    exact_atom,
    fixed_tuple,
    list_of,
    literal,
    long_tuple,
    scalar,
    set_of,
    untyped,
)
from eventsourcing_core._payloads.records import compile_record
from eventsourcing_core._payloads.scalars import ATOMS, SCALAR_BY_TYPE
from eventsourcing_core._payloads.shapes import OptionalShape
from eventsourcing_core._payloads.unions import union_of

_OWN_RECORDS = (dataclasses.is_dataclass, is_typed_dict, is_named_tuple, is_struct)
"""What tells the classes with named fields that are known by their form."""


def has_fields(cls: type) -> bool:
    """Tell whether a class has named fields that are stored."""
    return _is_own_record(cls) or is_of_family(cls)


def _is_own_record(cls: type) -> bool:
    return any(is_record(cls) for is_record in _OWN_RECORDS)


def compile_conversion(cls: type, event_type: str = "") -> Conversion:
    """Compile the conversion of a payload class.

    Supported are dataclasses, NamedTuple, TypedDict, ``msgspec.Struct`` and the classes of payload
    families, with fields of these or of None, bool, int, float, str, bytes, UUID, datetime, date,
    time, timedelta, Decimal, Enum, Literal, list, tuple, set, frozenset, dict, Optional, unions,
    NewType, Annotated and Any.

    Args:
        cls: The class.
        event_type: What it is stored as, for the log.

    Raises:
        SerializationError: For a hint that cannot be stored, naming class and field.
    """
    compiler = Compiler(event_type=event_type)
    conversion = compiler.record(cls, cls.__name__)
    return bounded(conversion, cls.__name__) if compiler.can_nest else conversion


class Compiler:
    """Compiles one class and the classes it refers to, each once, recursion included.

    Args:
        exact: Refuse a subclass of ``str``, ``int`` and so on where the base is the hint. Payloads
            become what their hints say; a state must come back as what it is.
        event_type: The type of the events that are compiled; the log is told of fields that are
            stored in them, and that no class has. Empty: they are no events, and it is not.
    """

    def __init__(self, *, exact: bool = False, event_type: str = "") -> None:
        self._exact = exact
        self._event_type = event_type
        self._records: dict[type, Conversion] = {}
        self._aliases: dict[Any, Conversion] = {}
        self._begun: set[Any] = set()
        self.can_nest = False
        """Whether a class or an alias so far refers to itself: its values nest without end."""

    def conversion(self, hint: Any, where: str) -> Conversion:
        """Give the conversion of a hint; ``where`` is the field, for messages."""
        hint = unwrapped(hint)
        if is_alias(hint):
            return self._alias(hint, where)
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any:
            return anything(where)
        if hint is None:
            hint = type(None)
        if origin in {list, dict} and not arguments:
            hint, origin = origin, None  # the bare typing.List
        if isinstance(hint, type) and origin is None:
            return self._plain(hint, where)
        if origin is Literal:
            return literal(arguments, where)
        if is_union(hint):
            return self._union(hint, where)
        if origin in {list, set, frozenset, tuple, dict} and (arguments or hint == tuple[()]):
            return self._container(origin, arguments, where)
        raise _unsupported(hint, where)

    def _plain(self, hint: type, where: str) -> Conversion:
        if hint in ATOMS:
            return exact_atom(hint, where) if self._exact else atom(hint, where)
        if hint in SCALAR_BY_TYPE:
            return scalar(hint, where)
        if hint is list or hint is dict:
            return untyped(hint, where)
        if issubclass(hint, Enum):
            return enum(hint, where)
        if has_fields(hint):
            return self.record(hint, where)
        raise _unsupported(hint, where)

    def _alias(self, alias: Any, where: str) -> Conversion:
        self.can_nest |= alias in self._begun
        if alias not in self._aliases:
            self._begun.add(alias)
            self._aliases[alias] = self._later(self._aliases, alias)
            self._aliases[alias] = self.conversion(value_of(alias), where)
            self._begun.discard(alias)
        return self._aliases[alias]

    def _later(self, conversions: dict[Any, Conversion], key: Any) -> Conversion:
        """Give what a class or an alias that refers to itself finds: it looks itself up in use."""

        def encode(value: Any) -> Any:
            return conversions[key].encode(value)

        def decode(tree: Any) -> Any:
            return conversions[key].decode(tree)

        return Conversion(encode, decode)

    def _union(self, union: Any, where: str) -> Conversion:
        members = members_of(union)
        some = [member for member in members if member is not type(None)]
        if len(some) > 1:
            conversion = union_of([(each, self.conversion(each, where)) for each in some], where)
        else:
            conversion = self.conversion(some[0] if some else type(None), where)
        if len(some) == len(members):
            return conversion
        encode, decode = conversion.encode, conversion.decode
        return Conversion(
            lambda value: None if value is None else encode(value),
            lambda tree: None if tree is None else decode(tree),
            shape=OptionalShape(conversion.shape),
        )

    def _container(self, origin: type, arguments: tuple[Any, ...], where: str) -> Conversion:
        if origin is dict:
            keys = self.conversion(arguments[0], f"{where} (key)")
            return dict_of(keys, self.conversion(arguments[1], f"{where}[…]"), where)
        if origin is not tuple:
            item = self.conversion(arguments[0], f"{where}[…]")
            return list_of(item, where) if origin is list else set_of(origin, item, where)
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return long_tuple(self.conversion(arguments[0], f"{where}[…]"), where)
        items = [self.conversion(item, f"{where}[{n}]") for n, item in enumerate(arguments)]
        return fixed_tuple(items, where)

    def record(self, cls: type, where: str) -> Conversion:
        """Give the conversion of a class with named fields."""
        self.can_nest |= cls in self._begun
        if cls not in self._records:
            self._begun.add(cls)
            named = fields_of(cls, where)
            names = frozenset(name for name, _, _ in named)
            former = [each for _, hint, _ in named for each in former_names_of(hint)]
            _check_former(cls, names, former)
            later = self._later(self._records, cls)._replace(
                forms=DICT, keys=names.union(former), former=frozenset(former)
            )
            self._records[cls] = later
            fields = [self._field(cls, *field) for field in named]
            unknown = UnknownFields(cls, names.union(former), self._event_type)
            described = None if _is_own_record(cls) else families.describe(cls)
            record = compile_record(
                cls, fields, unknown.look, mapping=is_typed_dict(cls), described=described
            )
            self._records[cls] = later._replace(**record._asdict())
            self._begun.discard(cls)
        return self._records[cls]

    def _field(self, cls: type, name: str, hint: Any, options: dict[str, Any]) -> Field:
        where = shortened(f"{cls.__name__}.{name}", 120)
        made = self.conversion(hint, where)
        if "factory" in options:
            options["default"] = made_alike(options.pop("factory"), made.encode, where)
        former = former_names_of(hint)
        return Field(
            name, made.encode, made.decode, made.atom, shape=made.shape, former=former, **options
        )


def fields_of(cls: type, where: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """List the stored fields of a class: name, hint, and what ``Field`` must know more."""
    if not _is_own_record(cls):
        return _family_fields(cls)
    try:
        hints = hints_of(cls)
    except (NameError, TypeError) as error:
        message = (
            f"the hints of {shortened(cls.__qualname__)} ({where}) cannot be evaluated: "
            f"{said_of(error)}; the names they use must be defined, at module level, before the "
            "class is registered"
        )
        raise SerializationError(message) from error
    if dataclasses.is_dataclass(cls):
        _check_constructor(cls, {field.name for field in dataclasses.fields(cls) if field.init})
        return [
            (field.name, hints[field.name], _dataclass_options(field))
            for field in dataclasses.fields(cls)
            if field.init
        ]
    if is_typed_dict(cls):
        # Where hints are strings, __required_keys__ is wrong: the evaluated ones go first.
        required: frozenset[str] = vars(cls)["__required_keys__"]
        return [
            (name, hint, {"optional": not is_required(hint, name in required)})
            for name, hint in hints.items()
        ]
    if is_named_tuple(cls):
        _check_constructor(cls, set(hints))
        defaults: dict[str, Any] = getattr(cls, "_field_defaults", {})
        return [
            (name, hint, {"default": lambda name=name: defaults[name]} if name in defaults else {})
            for name, hint in hints.items()
        ]
    _check_constructor(cls, set(hints))
    return _struct_fields(cls, hints)


def _check_former(cls: type, names: frozenset[str], former: list[str]) -> None:
    """Refuse a former name that some other field has, or had, too: whose would the value be?"""
    taken = [each for each in former if each in names or former.count(each) > 1]
    if taken:
        message = (
            f"{shortened(cls.__qualname__)} says WasNamed({shown(taken[0])}), and has or had "
            "another field of that name: give the new field a name that was never stored"
        )
        raise SerializationError(message)


def _check_constructor(cls: Any, stored: set[str]) -> None:
    """Refuse a class that could not be built again from its stored fields."""
    taken = {parameter for parameter in signature_of(cls).parameters if parameter != "_cls"}
    if taken != stored:
        odd = shortened(", ".join(sorted(taken ^ stored)), 200)
        message = (
            f"{shortened(cls.__qualname__)} cannot be stored: what its constructor takes and its "
            f"typed fields differ in {odd}; InitVar, untyped fields and an __init__ of its own "
            "lose data"
        )
        raise SerializationError(message)


def _dataclass_options(field: dataclasses.Field[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"keyword": field.kw_only}
    if field.default is not dataclasses.MISSING:
        default = field.default
        options["default"] = lambda: default
    elif field.default_factory is not dataclasses.MISSING:
        options["factory"] = field.default_factory
    return options


def _struct_fields(cls: Any, hints: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    names: tuple[str, ...] = cls.__struct_fields__
    defaults: tuple[Any, ...] = cls.__struct_defaults__  # those of the last fields
    by_name = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    fields: list[tuple[str, Any, dict[str, Any]]] = []
    for name, parameter in signature_of(cls).parameters.items():
        options: dict[str, Any] = {"keyword": parameter.kind is Parameter.KEYWORD_ONLY}
        if parameter.default is not Parameter.empty:
            default = by_name[name]
            if type(default).__name__ == "Factory":
                options["factory"] = default.factory
            else:
                options["default"] = lambda default=default: default
        fields.append((name, hints[name], options))
    return fields


def _family_fields(cls: type) -> list[tuple[str, Any, dict[str, Any]]]:
    described = families.describe(cls)
    if described is None:
        cure = extra_for(cls) or (
            "make it an @event class, a dataclass, a NamedTuple, a TypedDict or a msgspec.Struct"
        )
        message = f"{shortened(cls.__qualname__)} has no typed fields: {cure}"
        raise SerializationError(message)
    fields: list[tuple[str, Any, dict[str, Any]]] = []
    for field in described.fields:
        options: dict[str, Any] = {"keyword": True}
        if field.factory is not None:
            options["factory"] = field.factory
        elif field.default is not None:
            options["default"] = field.default
        fields.append((field.name, field.hint, options))
    return fields


def _unsupported(hint: Any, where: str) -> SerializationError:
    text = shortened(str(getattr(hint, "__qualname__", hint)), 200)
    extra = extra_for(hint) if isinstance(hint, type) else ""
    return SerializationError(
        f"{where} has the hint {text}, which cannot be stored: {extra}{'; or ' if extra else ''}"
        "use dataclasses, NamedTuple, TypedDict, Enum, Literal, list, tuple, set, dict, unions, "
        "or the scalars str, int, float, bool, bytes, Decimal, UUID, datetime, date, time, "
        "timedelta",
    )
