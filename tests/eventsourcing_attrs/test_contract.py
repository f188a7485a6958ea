"""Classes of attrs keep the contract of payload families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from eventsourcing_attrs import AttrsFamily
from eventsourcing_core.testing import PayloadFamilyContract
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import PayloadFamily, Serializer
    from eventsourcing_core.testing import DefinePayload


def attrs_class(
    name: str,
    hints: Mapping[str, Any],
    defaults: Mapping[str, object],
    factories: Mapping[str, Callable[[], object]],
) -> type[Any]:
    fields: dict[str, Any] = {name: attrs.field(default=each) for name, each in defaults.items()}
    fields |= {name: attrs.field(factory=each) for name, each in factories.items()}
    return attrs.frozen(type(name, (), {"__annotations__": dict(hints), **fields}))


class TestAttrsFamily(PayloadFamilyContract):
    @pytest.fixture
    def family(self) -> PayloadFamily:
        return AttrsFamily()

    @pytest.fixture
    def define(self) -> DefinePayload:
        return attrs_class


class TestAttrsFamilyInMsgpack(TestAttrsFamily):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()
