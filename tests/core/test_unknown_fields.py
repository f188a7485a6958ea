"""Each field that is stored, and that the class does not have, is told to the log once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, WasNamed, event
from eventsourcing_core.stores import Row
from tests.core.test_upcasters import SERIALIZERS


@dataclass(frozen=True)
class Part:
    n: int = 0


class Keys(TypedDict, total=False):
    n: int


def codecs(serializer: str) -> tuple[EventCodec, EventCodec]:
    types = EventTypes()
    event("part", event_types=types)(Part)

    @event("whole", event_types=types)
    class Whole:
        sku: Annotated[str, WasNamed("item")]
        part: Part | None = None
        keys: Keys | None = None

    @event("empty", event_types=types)
    class Empty: ...

    @event("computed", event_types=types)
    class Computed:
        n: int = 1
        m: int = 2

        def __post_init__(self) -> None:
            assert self.n

    del Whole, Empty, Computed
    chosen = SERIALIZERS[serializer]
    return EventCodec(chosen, event_types=EventTypes()), EventCodec(chosen, event_types=types)


def read(serializer: str, *events: tuple[str, dict[str, Any]]) -> None:
    stored, codec = codecs(serializer)
    rows = [
        Row("s-1", n, n, *stored.encode(Event(name, tree))) for n, (name, tree) in enumerate(events)
    ]
    assert len(list(codec.decode(rows))) == len(rows)


@pytest.fixture(params=SERIALIZERS)
def serializer(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize(
    ("name", "tree", "cls"),
    [
        ("part", {"n": 1, "old": 1}, "Part"),
        ("part", {"old": 1}, "Part"),  # as many fields as the class has
        ("whole", {"sku": "a", "old": 1}, "Whole"),
        ("whole", {"item": "a", "old": 1, "part": None}, "Whole"),
        ("whole", {"sku": "a", "part": {"old": 1}}, "Part"),
        ("whole", {"sku": "a", "keys": {"old": 1}}, "Keys"),
        ("empty", {"old": 1}, "Empty"),
        ("computed", {"m": 1, "old": 1}, "Computed"),
    ],
    ids=str,
)
def test_it_is_told_once(
    serializer: str,
    name: str,
    tree: dict[str, Any],
    cls: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    read(serializer, (name, tree), (name, tree))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("eventsourcing_core.codec", "WARNING")
    text = record.getMessage()
    assert f"events of type {name!r} are stored with the field 'old', which {cls}" in text
    assert "WasNamed('old')" in text


def test_each_type_and_each_field_is_told_of(
    serializer: str, caplog: pytest.LogCaptureFixture
) -> None:
    read(
        serializer,
        ("part", {"old": 1}),
        ("empty", {"old": 1}),
        ("part", {"old": 1, "older": 1}),
        ("part", {"older": 1}),
    )
    assert [each.args[:2] for each in caplog.records if isinstance(each.args, tuple)] == [
        ("part", "'old'"),
        ("empty", "'old'"),
        ("part", "'older'"),
    ]


def test_where_keys_are_data_it_ends(serializer: str, caplog: pytest.LogCaptureFixture) -> None:
    read(serializer, *(("part", {f"key {number}": 1}) for number in range(50)))
    assert len(caplog.records) == 20


def test_what_the_class_has_is_not_told_of(
    serializer: str, caplog: pytest.LogCaptureFixture
) -> None:
    read(
        serializer,
        ("part", {}),
        ("part", {"n": 1}),
        ("whole", {"item": "a"}),
        ("whole", {"sku": "a", "part": {"n": 1}, "keys": {}}),
        ("empty", {}),
        ("computed", {}),
        ("computed", {"m": 1}),
        ("computed", {"n": 1, "m": 1}),
    )
    assert caplog.records == []
