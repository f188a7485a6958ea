"""The contract of transformers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import SerializationError, TransformError
from eventsourcing_core._events.event import Event
from eventsourcing_core._names import is_encoding_name
from eventsourcing_core._payloads.serializer import JsonSerializer, Transformer
from eventsourcing_core.stores._rows import Row

MakeTransformer = Callable[[], Transformer]
"""Makes a transformer: what the hook ``transformers`` maps its name to."""

_NO_MORE_THAN_NEEDED = settings(
    deadline=None,  # a slow machine is no fault of the transformer
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # what it makes has no state to start afresh with
        HealthCheck.differing_executors,  # the classes of several transformers share these tests
        HealthCheck.too_slow,
    ],
)
_SAMPLES = (b"", b"\0", b"{}", b'{"text":"to be"}', bytes(range(256)) * 40, b"\xff" * 100_000)


class TransformerContract:
    """Every rule of ``Transformer``; inherit and override the fixture ``make_transformer``.

    The fixture returns what makes a transformer: the factory that the plugin's hook gives.
    """

    @pytest.fixture
    def make_transformer(self) -> MakeTransformer:
        """Override this: return what makes the transformer."""
        message = "override the fixture make_transformer; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    def test_a_transformer_has_the_methods_of_the_port(
        self, make_transformer: MakeTransformer
    ) -> None:
        assert isinstance(make_transformer(), Transformer)

    def test_its_name_can_be_stored_for_ever(self, make_transformer: MakeTransformer) -> None:
        name = make_transformer().name
        assert is_encoding_name(name)
        assert make_transformer().name == name

    @_NO_MORE_THAN_NEEDED
    @given(st.binary())
    @example(b"")
    @example(b"\0")
    @example(bytes(range(256)) * 4000)
    @example(b"x" * 1_000_000)
    def test_bytes_come_back(self, make_transformer: MakeTransformer, data: bytes) -> None:
        transformer = make_transformer()
        transformed = transformer.transform(data)
        restored = transformer.restore(transformed)
        assert (type(transformed), type(restored)) == (bytes, bytes)
        assert restored == data

    def test_each_is_restored_by_itself_in_any_order(
        self, make_transformer: MakeTransformer
    ) -> None:
        transformer = make_transformer()
        stored = [(data, transformer.transform(data)) for data in _SAMPLES]
        for data, transformed in (*reversed(stored), *stored, stored[0]):
            assert transformer.restore(transformed) == data

    def test_what_one_has_transformed_another_one_restores(
        self, make_transformer: MakeTransformer
    ) -> None:
        stored = [(data, make_transformer().transform(data)) for data in _SAMPLES]
        for data, transformed in stored:
            assert make_transformer().restore(transformed) == data

    def test_it_works_in_the_thread_of_any_event_loop(
        self, make_transformer: MakeTransformer
    ) -> None:
        transformer = make_transformer()
        with ThreadPoolExecutor(1) as other:
            for data in _SAMPLES:
                transformed = other.submit(transformer.transform, data).result()
                assert transformer.restore(transformed) == data
                assert other.submit(transformer.restore, transformed).result() == data

    @_NO_MORE_THAN_NEEDED
    @given(st.binary())
    @example(b"")
    @example(b'{"text":"not transformed"}')
    def test_foreign_bytes_are_refused_or_restored_as_bytes(
        self, make_transformer: MakeTransformer, data: bytes
    ) -> None:
        restored: object = b""
        with contextlib.suppress(Exception):
            restored = make_transformer().restore(data)
        assert type(restored) is bytes

    def test_truncated_bytes_are_an_error_that_names_the_event(
        self, make_transformer: MakeTransformer
    ) -> None:
        codec = EventCodec(JsonSerializer(), transformers=[make_transformer()])
        encoded = codec.encode(Event("Noted", {"text": "to be, or not to be? " * 3}))
        for length in range(len(encoded.data)):
            row = Row("doc-1", 7, 1, *encoded._replace(data=encoded.data[:length]))
            with pytest.raises((SerializationError, TransformError), match=r"version 7 .*doc-1"):
                list(codec.decode([row]))

    def test_a_codec_brings_an_event_back(self, make_transformer: MakeTransformer) -> None:
        transformer = make_transformer()
        codec = EventCodec(JsonSerializer(), transformers=[transformer, make_transformer()])
        event = Event("Noted", {"text": "é" * 1000}, metadata={"user": "Zoë"})
        encoded = codec.encode(event)
        assert encoded.encoding == f"json+{transformer.name}+{transformer.name}"
        (recorded,) = codec.decode([Row("doc-1", 1, 1, *encoded)])
        assert (recorded.data, dict(recorded.metadata)) == (event.data, {"user": "Zoë"})
