"""What is wrong with these transformers, the contract sees."""

from __future__ import annotations

import os
import threading
import zlib
from typing import Any, ClassVar

import pytest

from eventsourcing_core.testing import MakeTransformer, TransformerContract


class Broken:
    """A transformer that compresses; a fault does a step in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    name = "zlib"

    def transform(self, data: bytes) -> bytes:
        return zlib.compress(data)

    def restore(self, data: bytes) -> bytes:
        return zlib.decompress(data)


class HasNoRestore(Broken):
    caught_by = ("test_a_transformer_has_the_methods_of_the_port",)
    restore: Any = None


class IsShouted(Broken):
    caught_by = ("test_its_name_can_be_stored_for_ever",)
    name = "ZLIB"


class HasTwoNames(Broken):
    caught_by = ("test_its_name_can_be_stored_for_ever", "test_a_codec_brings_an_event_back")
    name = "zlib+base64"


class IsCalledAnew(Broken):
    caught_by = ("test_its_name_can_be_stored_for_ever",)

    def __init__(self) -> None:
        self.name = f"zlib-{id(self)}-{os.urandom(4).hex()}"


class GivesAnArray(Broken):
    caught_by = ("test_bytes_come_back",)

    def restore(self, data: bytes) -> bytes:
        return bytearray(super().restore(data))  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - the fault


class TransformsToAnArray(Broken):
    caught_by = ("test_bytes_come_back",)

    def transform(self, data: bytes) -> bytes:
        return bytearray(super().transform(data))  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - the fault


class StripsZeros(Broken):
    caught_by = ("test_bytes_come_back", "test_each_is_restored_by_itself_in_any_order")

    def restore(self, data: bytes) -> bytes:
        return super().restore(data).rstrip(b"\0")


class LosesTheRest(Broken):
    caught_by = ("test_bytes_come_back",)

    def transform(self, data: bytes) -> bytes:
        return super().transform(data[:65_536])


class GoesOn(Broken):
    """Compresses all that comes as one stream."""

    caught_by = ("test_each_is_restored_by_itself_in_any_order",)

    def __init__(self) -> None:
        self._pack = zlib.compressobj()
        self._unpack = zlib.decompressobj()

    def transform(self, data: bytes) -> bytes:
        return self._pack.compress(data) + self._pack.flush(zlib.Z_SYNC_FLUSH)

    def restore(self, data: bytes) -> bytes:
        return self._unpack.decompress(data)


class KeyOfItsOwn(Broken):
    """Encrypts with a key that ends with the object."""

    caught_by = ("test_what_one_has_transformed_another_one_restores",)

    def __init__(self) -> None:
        self._key = os.urandom(1)[0] | 1

    def transform(self, data: bytes) -> bytes:
        return bytes(byte ^ self._key for byte in super().transform(data))

    def restore(self, data: bytes) -> bytes:
        return super().restore(bytes(byte ^ self._key for byte in data))


class BelongsToAThread(Broken):
    caught_by = ("test_it_works_in_the_thread_of_any_event_loop",)

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def transform(self, data: bytes) -> bytes:
        if threading.get_ident() != self._thread:
            message = "this object belongs to another thread"
            raise RuntimeError(message)
        return super().transform(data)


class NothingForForeignBytes(Broken):
    caught_by = ("test_foreign_bytes_are_refused_or_restored_as_bytes",)

    def restore(self, data: bytes) -> bytes:
        try:
            return super().restore(data)
        except zlib.error:
            return None  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - the fault


class EmptyForDamagedBytes(Broken):
    caught_by = ("test_truncated_bytes_are_an_error_that_names_the_event",)

    def restore(self, data: bytes) -> bytes:
        try:
            return super().restore(data)
        except zlib.error:
            return b"{}"


class TestBrokenTransformers(TransformerContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def make_transformer(self, fault: type[Broken]) -> MakeTransformer:
        return fault
