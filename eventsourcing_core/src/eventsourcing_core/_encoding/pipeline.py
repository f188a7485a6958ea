"""A serializer followed by transformers: one step to bytes, and one back, under one name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._discovery.registry import (
    find_serializer,
    find_transformer,
    find_typed_codec,
)
from eventsourcing_core._errors import EventSourcingError, TransformError, said_of, shown
from eventsourcing_core._names import ENCODING_NAMES, is_encoding_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._payloads.shapes import TypedCodec


class Pipeline(NamedTuple):
    """What turns trees into stored bytes."""

    serializer: Serializer
    """Makes the bytes."""
    transformers: tuple[Transformer, ...]
    """Change them, in this order."""
    typed: TypedCodec | None
    """What does the serializer's work for some classes. Only one that was found by its name is
    known so well; what a program made itself may be another one."""

    @classmethod
    def of(
        cls,
        serializer: Serializer | str,
        transformers: Sequence[Transformer | str] = (),
    ) -> Pipeline:
        """Find what is given by name.

        Raises:
            UnknownPluginError: No installed plugin offers a name.
            ValueError: Something has a name that cannot be stored.
            TypeError: Something is neither a part nor the name of one.
        """
        if isinstance(transformers, str) or not isinstance(transformers, Iterable):
            message = f"transformers is a list of transformers or names, got {shown(transformers)}"
            raise TypeError(message)
        pipeline = cls(
            find_serializer(serializer) if isinstance(serializer, str) else serializer,
            tuple(find_transformer(t) if isinstance(t, str) else t for t in transformers),
            find_typed_codec(serializer) if isinstance(serializer, str) else None,
        )
        parts: list[Serializer | Transformer] = [pipeline.serializer, *pipeline.transformers]
        for part in parts:
            if not hasattr(part, "name"):
                message = f"a serializer or a transformer is an object or a name, got {shown(part)}"
                raise TypeError(message)
            if not is_encoding_name(part.name):
                name = shown(part.name)
                message = f"{type(part).__name__} is called {name}: a name is {ENCODING_NAMES}"
                raise ValueError(message)
        return pipeline

    @property
    def name(self) -> str:
        """The stored name: ``json``, ``msgpack+zstd``."""
        return "+".join([self.serializer.name, *(t.name for t in self.transformers)])

    @property
    def write(self) -> Callable[[object], bytes]:
        """The step to bytes; the serializer's own where there are no transformers."""
        return self._write if self.transformers else self.serializer.serialize

    @property
    def read(self) -> Callable[[bytes], object]:
        """The step back."""
        return self._read if self.transformers else self.serializer.deserialize

    def _write(self, tree: object) -> bytes:
        return self.transform(self.serializer.serialize(tree))

    def _read(self, data: bytes) -> object:
        return self.serializer.deserialize(self.restore(data))

    def transform(self, data: bytes) -> bytes:
        """Make the stored bytes of those of the serializer."""
        for transformer in self.transformers:
            data = _transformed(transformer.name, transformer.transform, data)
        return data

    def restore(self, data: bytes) -> bytes:
        """Make the bytes of the serializer of the stored ones."""
        for transformer in reversed(self.transformers):
            data = _transformed(transformer.name, transformer.restore, data)
        return data


def pipeline_named(name: str, known: Pipeline) -> Pipeline:
    """Find the pipeline of a stored name; parts of ``known`` are found without discovery.

    Raises:
        UnknownPluginError: No installed plugin offers a part of the name.
    """
    first, *others = name.split("+")
    transformers = {transformer.name: transformer for transformer in known.transformers}
    is_known = first == known.serializer.name
    pipeline = Pipeline.of(
        known.serializer if is_known else first,
        [transformers.get(other, other) for other in others],
    )
    return pipeline._replace(typed=known.typed) if is_known else pipeline


def _transformed(name: str, step: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return step(data)
    except EventSourcingError:
        raise
    except Exception as error:
        message = f"the transformer {name!r} failed: {said_of(error)}"
        raise TransformError(message) from error
