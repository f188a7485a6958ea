"""The state of an aggregate as a tree of builtins, by the annotations of its class."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import re
import sys
from types import MemberDescriptorType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    NamedTuple,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from eventsourcing_core._errors import SerializationError, SnapshotError, said_of
from eventsourcing_core._payloads.converter import Compiler
from eventsourcing_core._payloads.evaluation import annotations_of
from eventsourcing_core._payloads.hints import bounded
from eventsourcing_core._state.layout import layout_of
from eventsourcing_core._state.per_class import once_per_class
from eventsourcing_core._state.whole import check_whole, is_cached_property

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

OWN_ATTRIBUTES = frozenset({"id", "version", "_pending_events", "_event_ids"})
"""What ``Aggregate.__init__`` sets: not state, and the same however an aggregate is loaded."""

_OWN_CONSTANTS = frozenset({"category", "event_types", "state_version"})
_CLASS_VAR = re.compile(r"[\w.]*\bClassVar\b")
_CURE = "or override snapshot_state and restore_state"
_TRANSIENT = f"mark the attribute as Transient[…] if it is no state, {_CURE}"


class _TransientMark:
    def __repr__(self) -> str:
        return "transient"


Transient = Annotated[T, _TransientMark()]
"""Marks an attribute that is no part of the state: ``cache: Transient[dict[str, int]]``.

Snapshots leave it out. An aggregate that is restored from one has what ``__init__`` or the class
gave it, so nothing that ``apply`` needs may be transient.
"""


class Attribute(NamedTuple):
    """One attribute of the state."""

    name: str
    """Its name, in the instance and in the tree."""
    encode: Callable[[Any], Any]
    """Value to tree."""
    decode: Callable[[Any], Any]
    """Tree to value."""


class State(NamedTuple):
    """How the state of a class becomes a tree, and comes back."""

    class_name: str
    """For messages."""
    attributes: tuple[Attribute, ...]
    """What is stored."""
    passed_over: frozenset[str]
    """What is not."""
    layout: str
    """The names and types of what is stored, nested classes included."""

    def encode(self, instance: object) -> dict[str, Any]:
        """Give the tree of an instance.

        What the class itself holds as a default is left there: it may change with the class.

        Raises:
            SnapshotError: Naming the attribute that cannot be stored, and what to do.
        """
        values = dict(attributes_of(instance))
        undeclared = values.keys() - {each.name for each in self.attributes} - self.passed_over
        for name in sorted(undeclared):
            if not is_cached_property(type(instance), name):
                raise _undeclared(type(instance), name)
        tree: dict[str, Any] = {}
        seen: dict[int, str] = {}
        for name, encode, _ in self.attributes:
            if name in values:
                where = f"{self.class_name}.{name}"
                try:
                    tree[name] = encode(values[name])
                    check_whole(values[name], where, seen)
                except Exception as error:
                    raise _cannot_store(type(instance), where, error) from error
        return tree

    def decode(self, tree: Any, instance: Any) -> None:
        """Give an instance that was just made the attributes of a tree.

        Raises:
            SnapshotError: The tree is of another form; it names the attribute.
        """
        if type(tree) is not dict:
            message = f"the state of {self.class_name} is a dict, found {type(tree).__name__}"
            raise SnapshotError(message)
        present = dict(attributes_of(instance))
        for name, _, decode in self.attributes:
            try:
                if name in tree:
                    setattr(instance, name, decode(tree[name]))
                elif name in present:
                    delattr(instance, name)
            except Exception as error:
                message = f"{self.class_name}.{name} cannot be restored: {said_of(error)}"
                raise SnapshotError(message) from error


def state_of(cls: type) -> State:
    """Compile the conversion of a class's state, once.

    Raises:
        SnapshotError: An attribute has a type that cannot be stored; it says which.
    """
    compiled = _compiled(cls)
    if isinstance(compiled, str):
        raise SnapshotError(compiled)
    return compiled


def attributes_of(instance: Any) -> Iterator[tuple[str, Any]]:
    """Give the attributes that an instance itself holds, those in slots included."""
    yield from getattr(instance, "__dict__", {}).items()
    for name in _slots(instance.__class__):
        if hasattr(instance, name):
            yield name, getattr(instance, name)


@once_per_class
def passed_over(cls: type) -> frozenset[str]:
    """List the attributes of a class that are no state: the library's own and transient ones."""
    try:
        hints = _hints(cls)
    except Exception:  # noqa: BLE001 - a class that converts its state itself may have any hints
        return OWN_ATTRIBUTES
    return OWN_ATTRIBUTES | {name for name, hint in hints.items() if _is_transient(hint)}


@once_per_class
def _compiled(cls: type) -> State | str:
    """Compile, or say why not: what cannot be stored is asked for at every load.

    Evaluating annotations runs code of others, which may raise anything.
    """
    compiler, hints, attributes = Compiler(exact=True), dict[str, Any](), list[Attribute]()
    try:
        skipped = passed_over(cls)
        for name, hint in _hints(cls).items():
            if name not in skipped:
                _check_no_mark_inside(hint, f"{cls.__name__}.{name}")
                hints[name] = hint
                where = f"{cls.__name__}.{name}"
                conversion = compiler.conversion(hint, where)
                if compiler.can_nest:
                    conversion = bounded(conversion, where)
                attributes.append(Attribute(name, conversion.encode, conversion.decode))
        layout = layout_of(hints)
    except SerializationError as error:
        return f"{error}; {_cure_of(cls)}"
    except Exception as error:  # noqa: BLE001 - as above
        return f"the annotations of {cls.__name__} cannot be used: {said_of(error)}; {_CURE[3:]}"
    return State(cls.__name__, tuple(attributes), skipped, layout)


def _hints(cls: type) -> dict[str, Any]:
    """Evaluate the annotations of a class and its bases, but for those of constants."""
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, annotation in annotations_of(base).items():
            if _is_class_var(annotation):
                hints.pop(name, None)
                continue
            hint = _evaluated(annotation, base, name)
            if get_origin(hint) is Final or hint is Final:
                # With a value in the class it never changes; else it is set once, in __init__.
                hint = ClassVar if hasattr(base, name) else (get_args(hint) or (object,))[0]
            if _is_class_var(hint) or name in _OWN_CONSTANTS:
                hints.pop(name, None)
            else:
                hints[name] = hint
    return hints


def _is_class_var(annotation: Any) -> bool:
    """Tell it of what is not evaluated: what it is a variable of may not be there."""
    text = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(text, str):
        return _CLASS_VAR.match(text) is not None
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def _evaluated(annotation: Any, base: type, name: str) -> Any:
    holder = type(base.__name__, (), {"__annotations__": {name: annotation}})
    try:
        module = vars(sys.modules[base.__module__])
        # A default in the class may have the name of a type in the module, which goes first.
        return get_type_hints(holder, dict(vars(base)), dict(module), include_extras=True)[name]
    except Exception as error:
        message = (
            f"the annotation of {base.__name__}.{name} cannot be evaluated: {said_of(error)}; the "
            "names in it must be there at run time, at module level, and not for type checkers only"
        )
        raise SerializationError(message) from error


def _check_no_mark_inside(hint: Any, where: str) -> None:
    for inner in get_args(hint):
        if _is_transient(inner):
            message = f"{where} is transient in part only: write Transient[…] around the whole type"
            raise SerializationError(message)
        _check_no_mark_inside(inner, where)


def _is_transient(hint: Any) -> bool:
    marks = getattr(hint, "__metadata__", ())
    return any(isinstance(mark, _TransientMark) for mark in marks)


@once_per_class
def _slots(cls: type) -> tuple[str, ...]:
    return tuple(
        name
        for base in cls.__mro__
        if "__slots__" in vars(base)
        for name, member in vars(base).items()  # and not of __slots__: private names are mangled
        if isinstance(member, MemberDescriptorType)
    )


def _cure_of(cls: type) -> str:
    """Say what to do where a state cannot be stored; a class that others write says it itself."""
    return getattr(cls, "_snapshot_cure", _TRANSIENT)


def _undeclared(cls: type, name: str) -> SnapshotError:
    if _cure_of(cls) is not _TRANSIENT:
        message = f"the type of {cls.__name__}.{name} is not known: {_cure_of(cls)}"
        return SnapshotError(message)
    return SnapshotError(
        f"{cls.__name__}.{name} is not annotated in the body of the class, so a snapshot would "
        f"lose it: annotate it there ({name}: its type), or as {name}: Transient[its type] if it "
        f"is no state, {_CURE}"
    )


def _cannot_store(cls: type, where: str, error: Exception) -> SnapshotError:
    return SnapshotError(
        f"{where} cannot be stored in a snapshot: {said_of(error)}; {_cure_of(cls)}"
    )
