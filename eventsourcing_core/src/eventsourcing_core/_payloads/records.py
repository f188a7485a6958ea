"""The functions that take a class with named fields apart and put it together, as generated code.

Generated, because this runs for every event of every replay: a loop over fields takes three times
as long. The source is built of the class's own field names, which are identifiers, and nothing
else; the standard library makes dataclasses and named tuples in the same way.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import SerializationError, shortened, shown
from eventsourcing_core._payloads._reading.source import decode_source, former_in
from eventsourcing_core._payloads.defaults import check_made_alike
from eventsourcing_core._payloads.families.rereading import made_again
from eventsourcing_core._payloads.shapes import OtherShape, RecordField, RecordShape, Shape
from eventsourcing_core._payloads.tags import TAG, has_tag, untagged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventsourcing_core._payloads._reading.field import Convert, Field
    from eventsourcing_core._payloads.families.family import PayloadClass


class Record(NamedTuple):
    """How the objects of a class become dicts, and come back."""

    encode: Convert
    """Instance to dict."""
    decode: Convert
    """Dict to instance."""
    shape: Shape
    """What is stored."""


def compile_record(
    cls: type,
    fields: list[Field],
    unknown: Callable[[dict[str, Any]], object],
    *,
    mapping: bool,
    described: PayloadClass | None = None,
) -> Record:
    """Give the functions: instance to dict, and dict to instance.

    Reading takes a missing field's default, and passes over fields that the class does not have
    (any more), so that fields with a default can be added and any field be dropped. A missing field
    that was called otherwise is read under that name.

    Args:
        cls: The class.
        fields: Its stored fields.
        unknown: Called with a tree that has other fields, too.
        mapping: Whether it is a TypedDict.
        described: What its payload family says of it.
    """
    if mapping:
        return _compile_typed_dict(cls, fields, unknown)
    space = _space_of(cls, fields, unknown)
    if described is not None:
        return _compile_described(cls, fields, described, space)
    computed = _computed(cls, fields)
    opened = _open_class(cls, fields) if computed is None else None
    space["opened"] = opened
    if computed is not None:
        space |= {"known": computed.known, "check": computed.check}
    is_checked = computed is not None
    building = _construct_source(fields) if opened is None else _fill_source(fields)
    check = [_check_source(fields)] if is_checked else []
    decoding = decode_source(fields, is_checked)
    source = "\n".join([*_encode_source(fields), *decoding, *check, *building])
    exec(source, space)  # noqa: S102 - see above; nothing in the source comes from data
    encode, decode = space["encode"], space["decode"]
    if computed is not None and computed.unstored:
        encode = computed.checked(encode, decode)
    if is_checked:
        return Record(encode, decode, OtherShape(f"{cls.__name__} computes fields or defaults"))
    stored = [RecordField(field.name, field.shape, field.default is not None) for field in fields]
    assemble = partial(_assemble, fields, building, space)
    into = partial(_into, fields, space)
    return Record(encode, decode, RecordShape(tuple(stored), assemble, into))


def _space_of(
    cls: type, fields: list[Field], unknown: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Give the names that the source uses."""
    space: dict[str, Any] = {"cls": cls, "wrong": _wrong_class, "not_a_dict": _not_a_dict}
    space |= {"has_tag": has_tag, "untagged": untagged, "unknown": unknown, "former": former_in}
    for number, field in enumerate(fields):
        space[f"encode{number}"] = field.encode
        space[f"decode{number}"] = field.decode
        space[f"atom{number}"] = field.atom
        space[f"default{number}"] = field.default
    return space


def _compile_described(
    cls: type, fields: list[Field], described: PayloadClass, space: dict[str, Any]
) -> Record:
    """Compile a class of a payload family, which makes its objects itself."""
    space["make"] = described.make
    building = f"  return make({_arguments(fields)})"
    source = "\n".join(
        [*_encode_source(fields), *decode_source(fields, is_checked=False), building]
    )
    exec(source, space)  # noqa: S102 - as for compile_record; the names are checked
    encode = made_again(cls, described, space["encode"], space["decode"])
    return Record(encode, space["decode"], OtherShape(f"{cls.__name__} makes its objects itself"))


def _into(
    fields: list[Field], space: dict[str, Any], gather: Callable[..., object], write: Convert
) -> Convert:
    """See ``RecordShape.into``."""
    space = space | {"gather": gather, "write": write}
    values = ", ".join(f"v{number}" for number in range(len(fields)))
    lines = [*_take_source(fields), f"  return write(gather({values}))"]
    exec("\n".join(lines), space)  # noqa: S102 - as for compile_record
    encode: Convert = space["encode"]
    return encode


def _assemble(  # noqa: PLR0913 - a partial gives the first three
    fields: list[Field],
    building: list[str],
    space: dict[str, Any],
    read: Convert | None,
    finish: Sequence[Convert | None],
    lacking: object,
) -> Convert:
    """See ``Assemble``."""
    space = space | {"read": read, "lacking": lacking}
    lines = ["def assemble(given):"]
    if read is not None:
        lines.append("  given = read(given)")
    for number, (field, last) in enumerate(zip(fields, finish, strict=True)):
        space[f"finish{number}"] = last
        lines.append(f"  v{number} = given.f{number}")
        if field.default is not None:
            lines.append(f"  if v{number} is lacking: v{number} = default{number}()")
        if field.atom is str and field.default is None:  # as often as not, it was the same before
            space[f"text{number}"] = ""
            lines += [
                f"  global text{number}",
                f"  text = text{number}",
                f"  if v{number} == text: v{number} = text",
                f"  else: text{number} = v{number}",
            ]
        if last is not None:
            otherwise = "  else: " if field.default is not None else "  "
            lines.append(f"{otherwise}v{number} = finish{number}(v{number})")
    exec("\n".join([*lines, *building]), space)  # noqa: S102 - as for compile_record
    assembled: Convert = space["assemble"]
    return assembled


def _encode_source(fields: list[Field]) -> list[str]:
    pairs = ", ".join(f"{field.name!r}: v{number}" for number, field in enumerate(fields))
    return [*_take_source(fields), f"  return {{{pairs}}}"]


def _take_source(fields: list[Field]) -> list[str]:
    lines = ["def encode(value):", "  if type(value) is not cls: wrong(value, cls)"]
    for number, field in enumerate(fields):
        if field.atom is None:
            lines.append(f"  v{number} = encode{number}(value.{field.name})")
        else:
            lines.append(f"  v{number} = value.{field.name}")
            lines.append(
                f"  if type(v{number}) is not atom{number}: v{number} = encode{number}(v{number})"
            )
    return lines


def _check_source(fields: list[Field]) -> str:
    return f"  if missing not in known: check(missing, {_arguments(fields)})"


def _construct_source(fields: list[Field]) -> list[str]:
    return [f"  return cls({_arguments(fields)})"]


def _arguments(fields: list[Field]) -> str:
    return ", ".join(
        f"{field.name}=v{number}" if field.keyword else f"v{number}"
        for number, field in sorted(enumerate(fields), key=lambda pair: pair[1].keyword)
    )


class _Computed:
    """A class whose constructor computes fields: are they the same each time?

    It is asked once for each set of fields that are missing, and not when the class is registered.

    Args:
        cls: The class.
        fields: Its stored fields.
        unstored: Its other ones.
    """

    def __init__(self, cls: type, fields: list[Field], unstored: tuple[str, ...]) -> None:
        self._class = cls
        self._fields = fields
        self.unstored = unstored
        """The fields that are never stored."""
        self.known: set[int] = set() if unstored else {0}
        """Which sets of missing fields, as bits, are known to be the same each time."""

    def check(self, missing: int, /, *arguments: object, **keywords: object) -> None:
        lacking = [each for number, each in enumerate(self._fields) if missing >> number & 1]
        check_made_alike(
            lambda: self._class(*arguments, **keywords),
            (*self.unstored, *(field.name for field in lacking)),
            {field.name: field.encode for field in lacking},
        )
        self.known.add(missing)

    def checked(self, encode: Convert, decode: Convert) -> Convert:
        """Give an ``encode`` that refuses what reading would refuse."""

        def encode_checked(value: Any) -> Any:
            tree = encode(value)
            if not self.known:
                decode(tree)
            return tree

        return encode_checked


def _computed(cls: Any, fields: list[Field]) -> _Computed | None:
    """Give what checks a dataclass that does more than to set its stored fields."""
    if not hasattr(cls, "__dataclass_fields__"):
        return None
    unstored = tuple(field.name for field in dataclasses.fields(cls) if not field.init)
    computes = (
        bool(unstored)
        or hasattr(cls, "__post_init__")
        or not is_made_by_dataclasses(getattr(cls, "__init__", None))
    )
    can_lack = any(field.default is not None for field in fields)
    return _Computed(cls, fields, unstored) if unstored or (computes and can_lack) else None


def _fill_source(fields: list[Field]) -> list[str]:
    lines = [f"  made.{field.name} = v{number}" for number, field in enumerate(fields)]
    return ["  made = opened()", *lines, "  made.__class__ = cls", "  return made"]


def _open_class(cls: Any, fields: list[Field]) -> type | None:
    """Give a twin of a frozen dataclass that can be filled, if its constructor does only that.

    A frozen dataclass sets each field through ``object.__setattr__``; filling an instance while
    it is of a class that allows assignment takes a third of the time (decision 2).
    """
    parameters = getattr(cls, "__dataclass_params__", None)
    is_plain = (
        parameters is not None
        and parameters.frozen
        and parameters.init
        and type(cls) is type
        and "__new__" not in vars(cls)
        and cls.__mro__ == (cls, object)
        and is_made_by_dataclasses(vars(cls)["__init__"])
        and "__post_init__" not in vars(cls)
        and "__init_subclass__" not in vars(cls)
        and set(vars(cls).get("__slots__", ())) == {field.name for field in fields}
    )
    if not is_plain:
        return None
    return type(
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__init__": object.__init__,
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
        },
    )


def is_made_by_dataclasses(constructor: object) -> bool:
    """Tell whether an ``__init__`` only sets the fields: dataclasses compiled it, from no file."""
    code = getattr(constructor, "__code__", None)
    return code is not None and code.co_filename == "<string>"


def _wrong_class(value: object, cls: type) -> None:
    # Not the value: it may be a whole payload.
    wanted, given = shortened(cls.__name__), shortened(type(value).__name__)
    message = f"expected {wanted} itself, got {given}"
    raise SerializationError(message)


def _not_a_dict(tree: object) -> None:
    message = f"expected a dict, found {type(tree).__name__}"
    raise TypeError(message)


def _compile_typed_dict(  # noqa: C901 - two closures over the same tables
    cls: type, fields: list[Field], unknown: Callable[[dict[str, Any]], object]
) -> Record:
    by_name = {field.name: field for field in fields}
    renamed = [field for field in fields if field.former]
    required = [field.name for field in fields if not field.optional]
    name = shortened(cls.__name__)

    def encode(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            message = f"expected a dict with keys of {name}, got {shortened(type(value).__name__)}"
            raise SerializationError(message)
        if value.keys() - by_name.keys():
            odd = next(key for key in value if key not in by_name)
            message = f"expected a dict with keys of {name} only, got also the key {shown(odd)}"
            raise SerializationError(message)
        missing = [key for key in required if key not in value]
        if missing:
            message = f"{name} lacks the key {shown(missing[0])}"
            raise SerializationError(message)
        return {key: by_name[key].encode(item) for key, item in value.items()}

    def decode(tree: Any) -> dict[str, Any]:
        if type(tree) is not dict:
            _not_a_dict(tree)
        if TAG in tree and TAG not in by_name:
            tree = untagged(tree, cls.__name__, cls.__name__)
        for field in renamed:
            tree = _with_its_name(field, tree)
        missing = [key for key in required if key not in tree]
        if missing:
            raise KeyError(missing[0])
        made = {key: by_name[key].decode(item) for key, item in tree.items() if key in by_name}
        if len(made) != len(tree):
            unknown(tree)
        return made

    return Record(encode, decode, OtherShape(f"{name} is a TypedDict"))


def _with_its_name(field: Field, tree: dict[str, Any]) -> dict[str, Any]:
    """Give a tree in which a field stands under its name of today, if it is there."""
    found = former_in(tree, (field.name, *field.former))
    if found in {None, field.name}:
        return tree
    return {field.name if key == found else key: item for key, item in tree.items()}
