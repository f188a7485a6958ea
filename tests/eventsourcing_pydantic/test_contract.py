"""Models of pydantic keep the contract of payload families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ConfigDict, Field, create_model

from eventsourcing_core.testing import PayloadFamilyContract
from eventsourcing_msgpack import MsgpackSerializer
from eventsourcing_pydantic import PydanticFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventsourcing_core.plugins import PayloadFamily, Serializer
    from eventsourcing_core.testing import DefinePayload


def model(
    name: str,
    hints: Mapping[str, Any],
    defaults: Mapping[str, object],
    factories: Mapping[str, Callable[[], object]],
) -> type[Any]:
    fields: dict[str, Any] = {
        field: (
            hint,
            Field(default_factory=factories[field])
            if field in factories
            else defaults.get(field, ...),
        )
        for field, hint in hints.items()
    }
    made: type[Any] = create_model(name, __config__=ConfigDict(frozen=True), **fields)
    return made


class TestPydanticFamily(PayloadFamilyContract):
    @pytest.fixture
    def family(self) -> PayloadFamily:
        return PydanticFamily()

    @pytest.fixture
    def define(self) -> DefinePayload:
        return model


class TestPydanticFamilyInMsgpack(TestPydanticFamily):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()
