"""The contract of serializers."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._events.event import Event
from eventsourcing_core._payloads.nesting import MAX_DEPTH
from eventsourcing_core._payloads.serializer import Serializer
from eventsourcing_core.stores._rows import Row
from eventsourcing_core.testing._samples import EVENT_TYPES, Opened

_NO_MORE_THAN_NEEDED = settings(
    deadline=None,  # a slow machine is no fault of the serializer
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # a serializer has no state to start afresh with
        HealthCheck.differing_executors,  # the classes of several serializers share these tests
        HealthCheck.too_slow,
    ],
)

# Whole seconds: Python's own fromisoformat forgets an offset of less than one.
_OFFSETS = st.integers(-86_399, 86_399).map(lambda seconds: timedelta(seconds=seconds))
_ZONES = st.none() | st.just(UTC) | st.builds(timezone, _OFFSETS)
_KEYS = st.text(max_size=8) | st.sampled_from(["", "$", "$$", "$uuid", "$$uuid", "$bytes", "$x"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**100]),
    st.floats(),
    st.text(),
    st.binary(),
    st.uuids(),
    st.datetimes(timezones=_ZONES),
    st.dates(),
    st.times(timezones=_ZONES),
    st.timedeltas(),
    st.decimals(),
    st.sampled_from([Decimal(text) for text in ("sNaN", "-NaN12", "-0", "1E+5", "0E-400", "-Inf")]),
)
"""Every scalar a tree may hold."""
TREES = st.recursive(
    SCALARS,
    lambda trees: st.lists(trees, max_size=4) | st.dictionaries(_KEYS, trees, max_size=4),
    max_leaves=12,
)
"""Scalars, lists and dicts, nested."""

EVERYTHING: dict[str, object] = {
    "plain": [None, True, 1, 2**80, 1.5, "Zoë", b"\0\xff"],
    "id": UUID(int=1),
    "times": [datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 2), time(3), timedelta(1)],
    "amount": Decimal("1.10"),
}
"""One of each."""


def same(found: Any, tree: Any) -> bool:
    """Tell whether two trees are of the same values and of the same types, NaN included."""
    return type(found) is type(tree) and _equal(found, tree)


def _same_items(found: list[Any], items: list[Any]) -> bool:
    return len(found) == len(items) and all(map(same, found, items))


def _equal(found: Any, tree: Any) -> bool:
    match tree:
        case list():
            return _same_items(found, cast("Any", tree))
        case dict():
            fields = cast("dict[str, Any]", tree)
            return found.keys() == fields.keys() and all(
                same(found[key], item) for key, item in fields.items()
            )
        case float():
            return repr(found) == repr(tree)  # tells NaN and the sign of zero, unlike ==
        case Decimal():
            return bool(found.as_tuple() == tree.as_tuple())
        case datetime() | time():
            return bool(found == tree and found.utcoffset() == tree.utcoffset())
        case _:
            return bool(found == tree)


class SerializerContract:
    """Every rule of ``Serializer``, one test each; inherit and override the fixture ``serializer``.

    The fixture returns a serializer.
    """

    @pytest.fixture
    def serializer(self) -> Serializer:
        """Override this: return the serializer."""
        message = "override the fixture serializer; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    def test_a_serializer_has_the_methods_of_the_port(self, serializer: Serializer) -> None:
        assert isinstance(serializer, Serializer)

    def test_its_name_can_be_stored_for_ever(self, serializer: Serializer) -> None:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", serializer.name)

    @_NO_MORE_THAN_NEEDED
    @given(SCALARS)
    @example(scalar=True)
    @example(2**80)
    @example(math.nan)
    @example(-0.0)
    @example(UUID(int=1))
    @example(timedelta(microseconds=1))
    @example(Decimal("1.10"))
    @example("NUL \0, \U0010ffff")
    @example(Decimal("NaN"))
    @example(time(1, 2, 3, tzinfo=timezone(timedelta(hours=5.5))))
    @example(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(-timedelta(seconds=1))))
    def test_scalars_come_back(self, serializer: Serializer, scalar: object) -> None:
        data = serializer.serialize(scalar)
        assert type(data) is bytes
        assert same(serializer.deserialize(data), scalar)

    @_NO_MORE_THAN_NEEDED
    @given(TREES)
    @example(EVERYTHING)
    @example([True, 1, 1.0, "1", b"1", Decimal(1)])
    def test_trees_come_back(self, serializer: Serializer, tree: object) -> None:
        assert same(serializer.deserialize(serializer.serialize(tree)), tree)

    @pytest.mark.parametrize("level", [list, dict], ids=["lists", "dicts"])
    def test_trees_come_back_from_as_deep_as_a_codec_lets_them_be(
        self, serializer: Serializer, level: type
    ) -> None:
        tree: Any = "the leaf"
        for _ in range(MAX_DEPTH):
            tree = [tree] if level is list else {"in": tree}
        found: Any = serializer.deserialize(serializer.serialize(tree))
        are_of_it: list[bool] = []
        for _ in range(MAX_DEPTH):
            are_of_it.append(type(found) is level)
            found = found[0 if level is list else "in"]
        assert all(are_of_it)
        assert found == "the leaf"

    @_NO_MORE_THAN_NEEDED
    @given(_KEYS, SCALARS)
    @example("$uuid", "00000000-0000-0000-0000-000000000001")
    @example("$$uuid", "x")
    @example("$bytes", "Li4u")
    @example("$", None)
    @example("", UUID(int=1))
    def test_keys_that_look_like_tags_come_back(
        self, serializer: Serializer, key: str, value: object
    ) -> None:
        for tree in ({key: value}, {key: value, "other": 1}, {key: {key: value}}, [{key: [value]}]):
            assert same(serializer.deserialize(serializer.serialize(tree)), tree)

    def test_serializing_leaves_the_tree_as_it_was(self, serializer: Serializer) -> None:
        tree = {"$uuid": [UUID(int=1), {"$": b"x"}], "list": [[b"y"]]}
        before = repr(tree)
        serializer.serialize(tree)
        assert repr(tree) == before

    def test_truncated_bytes_are_refused(self, serializer: Serializer) -> None:
        data = serializer.serialize(EVERYTHING)
        for length in range(len(data)):
            with pytest.raises(ValueError):  # noqa: PT011 - the serializer chooses the words
                serializer.deserialize(data[:length])

    def test_bytes_beyond_the_end_are_refused(self, serializer: Serializer) -> None:
        data = serializer.serialize(EVERYTHING)
        for extra in (b"\0", b"x", data):
            with pytest.raises(ValueError):  # noqa: PT011 - as above
                serializer.deserialize(data + extra)

    @_NO_MORE_THAN_NEEDED
    @given(TREES, st.floats(0, 1), st.binary(max_size=4))
    @example(EVERYTHING, 0.5, b"")
    def test_damaged_bytes_are_refused_or_read_but_nothing_else(
        self, serializer: Serializer, tree: object, where: float, damage: bytes
    ) -> None:
        whole = serializer.serialize(tree)
        place = round(where * len(whole))
        raised: list[Exception] = []
        for data in (whole[:place] + damage + whole[place + 1 :], damage):
            try:
                serializer.deserialize(data)
            except Exception as error:  # noqa: BLE001 - of which kind it is, is the claim
                raised.append(error)
        assert [error for error in raised if not isinstance(error, ValueError)] == []

    @pytest.mark.parametrize(
        "value",
        [object(), {1, 2}, frozenset({1}), 1j, object, range(3), "half a pair \ud800"],
        ids=lambda value: type(value).__name__,
    )
    def test_what_has_no_form_is_refused(self, serializer: Serializer, value: object) -> None:
        for tree in (value, [value], {"key": value}, {"a": 1, "b": [{"c": value}]}):
            with pytest.raises((TypeError, ValueError)):
                serializer.serialize(tree)

    def test_a_codec_brings_a_typed_event_back(self, serializer: Serializer) -> None:
        codec = EventCodec(serializer, event_types=EVENT_TYPES)
        payload = Opened(
            owner="Zoë",
            balance=Decimal("10.10"),
            reference=UUID(int=5),
            due=datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            labels=("x", "y"),
        )
        event = Event.of(payload, metadata={"trace": UUID(int=9)}, event_types=EVENT_TYPES)
        encoded = codec.encode(event)
        assert encoded.encoding == serializer.name
        (recorded,) = codec.decode([Row("doc-1", 1, 1, *encoded)])
        assert recorded.data == payload
        assert dict(recorded.metadata) == {"trace": UUID(int=9)}
