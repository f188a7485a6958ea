"""The contract of payload families: what their classes store, and what comes back."""

# Classes are made at run time, with hints of any kind.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping  # noqa: TC003 - readers evaluate the hints
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._events.event import Event
from eventsourcing_core._events.event_types import EventTypes
from eventsourcing_core._payloads.families.family import PayloadClass, PayloadFamily
from eventsourcing_core._payloads.families.registry import families
from eventsourcing_core._payloads.serializer import JsonSerializer, Serializer
from eventsourcing_core.stores._rows import Row
from eventsourcing_core.testing._families.hints import HINTS, Hint

_NO_MORE_THAN_NEEDED = settings(
    max_examples=40,
    deadline=None,  # a slow machine is no fault of the family
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # a class has no state to start afresh with
        HealthCheck.differing_executors,  # the classes of several families share these tests
        HealthCheck.too_slow,
    ],
)


class DefinePayload(Protocol):
    """Makes a class of the family; whose objects cannot change, and are compared by their fields.

    Its constructor takes the fields as keyword arguments.
    """

    def __call__(
        self,
        name: str,
        hints: Mapping[str, Any],
        defaults: Mapping[str, object],
        factories: Mapping[str, Callable[[], object]],
        /,
    ) -> type[Any]:
        """Make it.

        Args:
            name: Its name.
            hints: The hint of each field.
            defaults: What fields are if they are not given.
            factories: What makes them then.
        """
        ...


class Kept:
    """Keeps objects of one class as bytes, written by the converter and a serializer."""

    def __init__(self, cls: type[Any], serializer: Serializer) -> None:
        self.cls = cls
        self._serializer = serializer
        self._types = EventTypes()
        self._types.register(cls, "kept")
        self._codec = EventCodec(serializer, event_types=self._types)

    def bytes_of(self, payload: object) -> bytes:
        """Give the bytes of an object."""
        return self._codec.encode(Event.of(payload, event_types=self._types)).data

    def read(self, data: bytes) -> Any:
        """Give the object of bytes."""
        row = Row("s-1", 1, 1, "kept", data, None, self._serializer.name, bytes(16), 0)
        (recorded,) = self._codec.decode([row])
        return recorded.data

    def read_tree(self, tree: object) -> Any:
        """Give the object of what was stored in the past."""
        return self.read(self._serializer.serialize(tree))


class PayloadFamilyContract:
    """Every rule of ``PayloadFamily``, one test each; inherit, and override the two fixtures.

    The fixture ``family`` returns the family, and ``define`` what makes classes of it.
    """

    @pytest.fixture
    def family(self) -> PayloadFamily:
        """Override this: return the family."""
        message = "override the fixture family; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    @pytest.fixture
    def define(self) -> DefinePayload:
        """Override this: return what makes a class of the family."""
        message = "override the fixture define; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    @pytest.fixture
    def serializer(self) -> Serializer:
        """Override this to see what another serializer stores: JSON unless you do."""
        return JsonSerializer()

    @pytest.fixture
    def keep(self, serializer: Serializer) -> Callable[[type[Any]], Kept]:
        """Give what keeps objects of a class as bytes."""
        return lambda cls: Kept(cls, serializer)

    @pytest.fixture(autouse=True)
    def _only_this_one(self, family: PayloadFamily, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(families, "_find", lambda: (family,))

    def test_a_family_has_the_methods_of_the_port(self, family: PayloadFamily) -> None:
        assert isinstance(family, PayloadFamily)
        assert type(family.name) is str

    def test_it_leaves_the_classes_of_others_alone(self, family: PayloadFamily) -> None:
        found = [family.describe(cls) for cls in (int, Plain, Other, EventTypes)]
        assert found == [None] * 4

    def test_the_fields_are_those_of_the_class(
        self, family: PayloadFamily, define: DefinePayload
    ) -> None:
        cls = define("Placed", {"sku": str, "notes": list[str], "count": int}, {"count": 1}, {})
        described = _described(family, cls)
        assert [(each.name, each.hint) for each in described.fields] == [
            ("sku", str),
            ("notes", list[str]),
            ("count", int),
        ]

    def test_what_cannot_change_is_told(self, family: PayloadFamily, define: DefinePayload) -> None:
        cls = define("Placed", {"sku": str}, {}, {})
        assert _described(family, cls).unfrozen == ""
        placed = cls(sku="A")
        with pytest.raises(Exception):  # noqa: B017, PT011 - the library chooses it
            placed.sku = "B"
        assert placed.sku == "A"

    @pytest.mark.parametrize("hint", HINTS, ids=[hint.name for hint in HINTS])
    def test_what_is_stored_is_as_of_a_dataclass(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept], hint: Hint
    ) -> None:
        hints = {"value": hint.hint}
        theirs = keep(define("Placed", hints, {}, {}))
        ours = keep(dataclasses.make_dataclass("Placed", hints.items(), frozen=True))

        @_NO_MORE_THAN_NEEDED
        @given(hint.values)
        def stored(value: object) -> None:
            data = theirs.bytes_of(theirs.cls(value=value))
            assert data == ours.bytes_of(ours.cls(value=value))

        stored()

    @pytest.mark.parametrize("hint", HINTS, ids=[hint.name for hint in HINTS])
    def test_objects_come_back_equal(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept], hint: Hint
    ) -> None:
        kept = keep(define("Placed", {"value": hint.hint, "beside": str}, {}, {}))

        @_NO_MORE_THAN_NEEDED
        @given(hint.values, st.text())
        def come_back(value: object, beside: str) -> None:
            payload = kept.cls(value=value, beside=beside)
            back = kept.read(kept.bytes_of(payload))
            assert type(back) is kept.cls
            assert back == payload
            assert type(back.value) is type(payload.value)

        come_back()

    def test_a_missing_field_takes_its_default(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept]
    ) -> None:
        hints = {"sku": str, "count": int, "notes": list[str], "tags": list[str]}
        kept = keep(
            define("Placed", hints, {"count": 7}, {"notes": lambda: ["new"], "tags": list[str]})
        )
        first, second = kept.read_tree({"sku": "A"}), kept.read_tree({"sku": "A"})
        assert (first.sku, first.count, first.notes, first.tags) == ("A", 7, ["new"], [])
        assert first.notes is not second.notes

    def test_a_missing_field_without_a_default_is_refused(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept]
    ) -> None:
        kept = keep(define("Placed", {"sku": str, "count": int}, {"count": 7}, {}))
        with pytest.raises(ValueError, match="sku"):
            kept.read_tree({"count": 1})

    def test_unknown_fields_are_passed_over(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept]
    ) -> None:
        kept = keep(define("Placed", {"sku": str}, {}, {}))
        assert kept.read_tree({"gone": [1], "sku": "A"}) == kept.cls(sku="A")

    def test_classes_stand_in_classes(
        self, define: DefinePayload, keep: Callable[[type[Any]], Kept]
    ) -> None:
        inner: Any = define("Line", {"sku": str}, {}, {})
        kept = keep(define("Placed", {"first": inner | None, "lines": list[inner]}, {}, {}))
        placed = kept.cls(first=inner(sku="A"), lines=[inner(sku="B")])
        assert kept.read(kept.bytes_of(placed)) == placed
        assert kept.read_tree({"first": {"sku": "A"}, "lines": [{"sku": "B"}]}) == placed

    def test_it_is_described_alike_each_time(
        self, family: PayloadFamily, define: DefinePayload
    ) -> None:
        cls = define("Placed", {"sku": str, "count": int}, {"count": 7}, {})
        first, second = _described(family, cls), _described(family, cls)
        assert [each[:2] for each in first.fields] == [each[:2] for each in second.fields]
        assert first.make(sku="A", count=1) == second.make(count=1, sku="A")


class Plain:
    """A class that is of no family."""

    def __init__(self, value: int) -> None:
        self.value = value


@dataclasses.dataclass(frozen=True)
class Other:
    """A dataclass is none of a family, either."""

    value: int


def _described(family: PayloadFamily, cls: type) -> PayloadClass:
    described = family.describe(cls)
    assert described is not None
    return described
