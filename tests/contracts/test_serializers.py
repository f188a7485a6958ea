"""The serializers of the workspace keep the contract."""

from __future__ import annotations

import pytest

from eventsourcing_core import JsonSerializer, Serializer
from eventsourcing_core.testing import SerializerContract
from eventsourcing_msgpack import MsgpackSerializer


class TestJsonSerializer(SerializerContract):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return JsonSerializer()


class TestMsgpackSerializer(SerializerContract):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()
