"""The serializers of the workspace keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import JsonSerializer
from eventsourcing_core.testing import SerializerContract
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from eventsourcing_core.plugins import Serializer


class TestJsonSerializer(SerializerContract):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return JsonSerializer()


class TestMsgpackSerializer(SerializerContract):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()
