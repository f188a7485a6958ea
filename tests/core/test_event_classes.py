"""What classes may have under ``@event``: it works as in any class, or the class is refused."""

from __future__ import annotations

import abc
import copy
import dataclasses
import functools
import gc
import pickle
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, SerializationError, event
from eventsourcing_core.stores import Row

if TYPE_CHECKING:
    from collections.abc import Callable

types = EventTypes()


def stored_and_read(payload: Any, registry: EventTypes = types) -> Any:
    codec = EventCodec(event_types=registry)
    encoded = codec.encode(Event.of(payload, event_types=registry))
    row = Row("s-1", 1, 1, encoded.event_type, encoded.data, None, "json", encoded.event_id, 0)
    (read,) = codec.decode([row])
    return read.data


def own(function: Callable[..., Any]) -> Callable[..., Any]:
    """Stand for any decorator: its function hides the one that it calls."""
    return lambda *arguments: function(*arguments)  # noqa: PLW0108 - that is what it stands for


@event("classes.base", event_types=types)
class Base:
    at: int

    def __post_init__(self) -> None:
        if self.at < 0:
            raise ValueError(self.at)

    def said(self) -> str:
        return f"at {self.at}"


@event("classes.given", event_types=types)
class Given:
    names: list[str] = dataclasses.field(default_factory=list[str])
    at: int = dataclasses.field(default=1, kw_only=True)


@event("classes.sub", event_types=types)
class Sub(Base):
    name: str

    def __post_init__(self) -> None:
        super().__post_init__()

    def said(self) -> str:
        return f"{self.name} {super().said()}"

    @property
    def as_property(self) -> str:
        return super().said()

    @functools.cached_property
    def cached(self) -> str:
        return super().said()

    @classmethod
    def as_classmethod(cls) -> Any:
        return super().__new__(cls)

    @staticmethod
    def as_staticmethod() -> Any:
        return __class__  # type: ignore[name-defined]  # mypy does not know it

    @own
    def decorated(self) -> str:
        return super().said()

    def nested(self) -> list[str]:
        return [said() for said in (lambda: super(Sub, self).said(), lambda: __class__.__name__)]  # type: ignore[name-defined]  # as above


def test_an_event_class_may_use_super_and_its_own_class() -> None:
    sub = Sub(1, "a")
    assert sub.said() == "a at 1"
    assert (sub.as_property, sub.cached, sub.decorated()) == ("at 1", "at 1", "at 1")
    assert type(sub.as_classmethod()) is sub.as_staticmethod() is Sub
    assert sub.nested() == ["at 1", "Sub"]
    assert stored_and_read(sub) == sub
    with pytest.raises(ValueError, match="-1"):
        Sub(-1, "a")


def test_a_class_without_a_base_may_use_them_too() -> None:
    @event(event_types=EventTypes())
    class Alone:
        at: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, __class__)  # type: ignore[name-defined]  # as above

        def __hash__(self) -> int:
            return super().__hash__()

        @property
        def own_class(self) -> Any:
            return __class__  # type: ignore[name-defined]  # as above

        @classmethod
        def of_class(cls) -> Any:
            return __class__  # type: ignore[name-defined]  # as above

    assert Alone(1) == Alone(2)
    assert hash(Alone(1)) is not None
    assert Alone(1).own_class is Alone.of_class() is Alone


@pytest.mark.parametrize("payload", [Base(1), Sub(1, "a")], ids=["slots", "no slots"])
def test_payloads_can_be_copied_and_pickled(payload: Base) -> None:
    copies = [copy.copy(payload), copy.deepcopy(payload), pickle.loads(pickle.dumps(payload))]  # noqa: S301 - its own
    assert copies == [payload] * 3
    assert {type(each) for each in copies} == {type(payload)}
    assert dataclasses.replace(payload, at=2).said() == payload.said().replace("1", "2")


def test_only_plain_classes_get_slots() -> None:
    assert not hasattr(Base(1), "__dict__")
    assert not hasattr(Given(), "__dict__")
    assert vars(Sub(1, "a")) == {"name": "a"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sub(1, "a").name = "b"  # type: ignore[misc]  # the mistake


def test_each_member_that_refers_to_its_class_still_does() -> None:
    class Read:
        @property
        def own(self) -> object:
            return __class__  # type: ignore[name-defined]  # it is there in every method

    class Static:
        @staticmethod
        def own() -> object:
            return __class__  # type: ignore[name-defined]  # as above

    class Changed:
        @property
        def own(self) -> object:
            return None

        @own.setter
        def own(self, seen: list[object]) -> None:
            seen.append(__class__)  # type: ignore[name-defined]  # as above

    seen: list[object] = []
    classes: list[Any] = [event(event_types=EventTypes())(c) for c in (Read, Static, Changed)]
    read, static, changed = classes
    cast("Any", vars(changed)["own"]).fset(changed(), seen)
    assert (read().own, static().own(), seen) == (read, static, [changed])


def test_a_cached_property_is_kept_and_is_no_field() -> None:
    calls: list[int] = []
    registry = EventTypes()

    @event(event_types=registry)
    class Priced:
        net: int

        @functools.cached_property
        def gross(self) -> int:
            calls.append(self.net)
            return self.net * 2

    priced = Priced(2)
    assert (priced.gross, priced.gross, calls) == (4, 4, [2])
    assert stored_and_read(priced, registry) == Priced(2)


def test_a_class_is_made_once_where_somebody_sees_it() -> None:
    seen: list[type] = []

    class Seeing:
        kind: ClassVar[str]

        def __init_subclass__(cls, *, kind: str) -> None:
            cls.kind = kind
            seen.append(cls)

    class Meta(type):
        def __init__(cls, *arguments: Any) -> None:
            super().__init__(*arguments)
            seen.append(cls)

    class Described:
        def __set_name__(self, owner: type, name: str) -> None:
            seen.append(owner)

    @event("one", event_types=types)
    class One(Seeing, kind="first"):
        at: int

    @event("two", event_types=types)
    class Two(metaclass=Meta):
        at: int

    @event("three", event_types=types)
    class Three:
        at: int
        described = Described()

    assert seen == [One, Two, Three]
    assert (One.kind, Seeing.__subclasses__()) == ("first", [One])
    assert [stored_and_read(cls(1)) for cls in (One, Two, Three)] == [One(1), Two(1), Three(1)]


def test_a_base_that_checks_nothing_is_allowed() -> None:
    class Named(Protocol):
        name: str

    class Sized(abc.ABC):
        @abc.abstractmethod
        def size(self) -> int: ...

    @event("sized", event_types=types)
    class SizedAndNamed(Sized, Named):
        name: str

        def size(self) -> int:
            return len(self.name)

    payload = SizedAndNamed("abc")
    assert (stored_and_read(payload), payload.size()) == (payload, 3)


def test_a_constructor_of_its_own_is_called_when_it_is_read() -> None:
    registry = EventTypes()
    made: list[int] = []

    @event("checked", event_types=registry)
    class Checked:
        at: int

        def __init__(self, at: int) -> None:
            made.append(at)
            object.__setattr__(self, "at", at)

    @event("checked.too", event_types=registry)
    @dataclasses.dataclass(frozen=True, slots=True)
    class CheckedToo:
        at: int

        def __init__(self, at: int) -> None:
            made.append(at)
            object.__setattr__(self, "at", at)

    assert stored_and_read(Checked(1), registry) == Checked(1)
    assert stored_and_read(CheckedToo(2), registry) == CheckedToo(2)
    assert made == [1, 1, 1, 2, 2, 2]


class Constructed:
    def __init__(self, **values: int) -> None:
        if values["at"] < 0:
            raise ValueError(values)


class Guarded:
    def __setattr__(self, name: str, value: object) -> None:
        if value == -1:
            raise ValueError(name)
        super().__setattr__(name, value)


class Point(NamedTuple):
    at: int


@dataclasses.dataclass(frozen=True)
class Normalized:
    at: int

    def __init__(self, at: int) -> None:
        object.__setattr__(self, "at", abs(at))


@pytest.mark.parametrize(
    ("base", "lost"),
    [
        (Constructed, "Constructed.__init__"),
        (Normalized, "Normalized.__init__"),
        (Guarded, "Guarded.__setattr__"),
        (dict, "builtins.dict.__init__"),
    ],
)
def test_a_class_that_would_lose_its_checks_is_refused(base: type, lost: str) -> None:
    cls = type("Given", (base,), {"__annotations__": {"more": int}})
    registry = EventTypes()
    with pytest.raises(TypeError, match=rf"Given would lose \S*{lost}, and what it checks: write"):
        event(cls, event_types=registry)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue] - as the decorator does
    assert registry.classes == {}


def test_a_class_of_attrs_is_refused() -> None:
    cls = type("Given", (), {"__attrs_attrs__": (), "__annotations__": {"at": int}})
    with pytest.raises(TypeError, match="Given is of a payload family.* as __post_init__"):
        event("given", event_types=EventTypes())(cls)


def test_a_class_with_slots_of_its_own_is_refused() -> None:
    cls = type("Given", (), {"__slots__": ("at",), "__annotations__": {"at": int}})
    with pytest.raises(TypeError, match="Given sets __slots__, which @event does itself: leave"):
        event("given", event_types=EventTypes())(cls)


def test_a_class_below_a_named_tuple_stays_one() -> None:
    registry = EventTypes()

    class Doubled(Point):
        def twice(self) -> int:
            return 2 * self.at

    assert event("doubled", event_types=registry)(Doubled) is Doubled
    read = stored_and_read(Doubled(2), registry)
    assert (read, type(read), read.twice()) == (Doubled(2), Doubled, 4)

    class WithMore(Point):
        more: int = 0

    with pytest.raises(SerializationError, match="differ in more"):
        event("more", event_types=registry)(WithMore)


def test_a_class_that_is_referred_to_weakly_is_a_dataclass_without_slots() -> None:
    @event("weak", event_types=types)
    @dataclasses.dataclass(frozen=True)
    class Weak:
        at: int

    payload = Weak(1)
    assert weakref.ref(payload)() is payload


def test_a_class_that_was_defined_again_goes() -> None:
    registry = EventTypes()

    def define() -> weakref.ref[type]:
        @event(event_types=registry)
        class Opened:
            owner: str

        return weakref.ref(Opened)

    first, second = define(), define()
    gc.collect()
    assert first() is None
    assert registry.classes == {"Opened": second()}
