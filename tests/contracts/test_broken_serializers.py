"""What is wrong with these serializers, the contract sees."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pytest

from eventsourcing_core import JsonSerializer
from eventsourcing_core.testing import SerializerContract

if TYPE_CHECKING:
    from eventsourcing_core.plugins import Serializer

SCALARS = "test_scalars_come_back"
TREES = "test_trees_come_back"


class Broken(JsonSerializer):
    """A fault changes some values on the way in, or takes damaged bytes for whole ones."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def changed(self, value: Any) -> Any:
        """Change one value; containers are walked through before."""
        return value

    def walked(self, tree: Any) -> Any:
        if type(tree) is list:
            return [self.walked(item) for item in tree]
        if type(tree) is dict:
            return {key: self.walked(item) for key, item in tree.items()}
        return self.changed(tree)

    def serialize(self, tree: object) -> bytes:
        return super().serialize(self.walked(tree))


class DecimalIsAFloat(Broken):
    caught_by = (SCALARS, TREES)

    def changed(self, value: Any) -> Any:
        if isinstance(value, Decimal) and not value.is_snan():
            return float(value)
        return value


class DecimalNormalised(Broken):
    caught_by = (SCALARS, TREES)

    def changed(self, value: Any) -> Any:
        return value.normalize() if isinstance(value, Decimal) and value.is_finite() else value


class TrueIsOne(Broken):
    caught_by = (SCALARS, TREES)

    def changed(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


class IntegersOf64Bits(Broken):
    caught_by = (SCALARS, TREES)

    def changed(self, value: Any) -> Any:
        return value % 2**64 if isinstance(value, int) and value > 2**63 else value


class UuidIsText(Broken):
    caught_by = (SCALARS, TREES, "test_a_codec_brings_a_typed_event_back")

    def changed(self, value: Any) -> Any:
        return str(value) if isinstance(value, UUID) else value


class ZoneDropped(Broken):
    caught_by = (SCALARS, TREES)

    def changed(self, value: Any) -> Any:
        return value.replace(tzinfo=None) if isinstance(value, (datetime, time)) else value


class ZeroHasNoSign(Broken):
    caught_by = (SCALARS,)

    def changed(self, value: Any) -> Any:
        return value + 0.0 if isinstance(value, float) else value


class DurationInMilliseconds(Broken):
    caught_by = (SCALARS,)

    def changed(self, value: Any) -> Any:
        if isinstance(value, timedelta):
            return value // timedelta(milliseconds=1) * timedelta(milliseconds=1)
        return value


class TextEndsAtNul(Broken):
    caught_by = (SCALARS,)

    def changed(self, value: Any) -> Any:
        return value.partition("\0")[0] if isinstance(value, str) else value


class TagsUnescaped(Broken):
    caught_by = ("test_keys_that_look_like_tags_come_back",)

    def deserialize(self, data: bytes) -> object:
        return super().deserialize(data.replace(b'{"$$', b'{"$'))


class EmptyKeysDropped(Broken):
    caught_by = ("test_keys_that_look_like_tags_come_back",)

    def walked(self, tree: Any) -> Any:
        if type(tree) is dict:
            return {key: self.walked(item) for key, item in tree.items() if key}
        return super().walked(tree)


class TagsInPlace(JsonSerializer):
    """Saves a copy, and spoils the original."""

    caught_by = ("test_serializing_leaves_the_tree_as_it_was",)

    def serialize(self, tree: object) -> bytes:
        data = super().serialize(tree)
        if isinstance(tree, dict):
            tree.clear()
        return data


class EndUnchecked(JsonSerializer):
    caught_by = ("test_bytes_beyond_the_end_are_refused",)

    def deserialize(self, data: bytes) -> object:
        text = data.decode(errors="replace")
        return super().deserialize(text[: json.JSONDecoder().raw_decode(text)[1]].encode())


class DamagedIsNone(JsonSerializer):
    caught_by = ("test_truncated_bytes_are_refused", "test_bytes_beyond_the_end_are_refused")

    def deserialize(self, data: bytes) -> object:
        try:
            return super().deserialize(data)
        except ValueError:
            return None


class DamagedIsAnotherError(JsonSerializer):
    caught_by = (
        "test_truncated_bytes_are_refused",
        "test_damaged_bytes_are_refused_or_read_but_nothing_else",
    )

    def deserialize(self, data: bytes) -> object:
        try:
            return super().deserialize(data)
        except ValueError as error:
            raise IndexError from error


class EverythingHasAForm(JsonSerializer):
    caught_by = ("test_what_has_no_form_is_refused",)

    def serialize(self, tree: object) -> bytes:
        try:
            return super().serialize(tree)
        except (TypeError, ValueError):
            return json.dumps(repr(tree)).encode()


class Shallow(JsonSerializer):
    caught_by = ("test_trees_come_back_from_as_deep_as_a_codec_lets_them_be",)

    def deserialize(self, data: bytes) -> object:
        if data.count(b"[") + data.count(b"{") > 100:
            message = "nested too deeply"
            raise ValueError(message)
        return super().deserialize(data)


class NamedWithAPlus(JsonSerializer):
    caught_by = ("test_its_name_can_be_stored_for_ever",)

    name = "json+mine"


class NamedInCapitals(JsonSerializer):
    caught_by = ("test_its_name_can_be_stored_for_ever",)

    name = "JSON"


class CannotRead:
    """One of the two methods."""

    caught_by = ("test_a_serializer_has_the_methods_of_the_port",)
    name = "json"
    serialize = JsonSerializer.serialize


class TestBrokenSerializers(SerializerContract):
    faults = (
        *Broken.__subclasses__(),
        TagsInPlace,
        EndUnchecked,
        DamagedIsNone,
        DamagedIsAnotherError,
        EverythingHasAForm,
        Shallow,
        NamedWithAPlus,
        NamedInCapitals,
        CannotRead,
    )

    @pytest.fixture
    def serializer(self, fault: type[JsonSerializer]) -> Serializer:
        return fault()
