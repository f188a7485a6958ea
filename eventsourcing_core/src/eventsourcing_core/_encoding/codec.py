"""The only road between events and stored bytes."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core._encoding._boundaries.tagging import with_tags
from eventsourcing_core._encoding.imports import append_of, check_names, import_of
from eventsourcing_core._encoding.pipeline import Pipeline, pipeline_named
from eventsourcing_core._encoding.reader import Reader, decision_about
from eventsourcing_core._encoding.refusals import (
    NO_CLASS,
    cannot_read,
    cannot_store,
    check_expected_version,
    check_recorded,
    no_class,
    too_large,
)
from eventsourcing_core._errors import (
    SerializationError,
    TransformError,
    UnknownEventTypeError,
    shown,
)
from eventsourcing_core._events.event import (
    Event,
    OpenRecordedEvent,
    RecordedEvent,
    new_recorded_event,
)
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._events.metadata import NO_METADATA
from eventsourcing_core._events.tags import NO_TAGS, tags_of
from eventsourcing_core._names import check_stream_id
from eventsourcing_core._payloads.scalars import plain_tree
from eventsourcing_core.stores._append import Append, Write
from eventsourcing_core.stores._checks import check_whole
from eventsourcing_core.stores._rows import Columns, EncodedEvent, EncodedEvents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._payloads.shapes import TypedDecision
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._rows import Row

_new: Any = vars(tuple)["__new__"]  # half of the time of a NamedTuple's own

logger = logging.getLogger("eventsourcing_core.codec")

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""How many bytes an event's data and metadata may take together, unless said otherwise."""


class EventCodec:
    """Encodes events into what stores keep, and decodes them again; every store has one.

    New events are written with ``serializer`` and ``transformers``; each stored event carries
    their names, and is read with what made it. So a store can hold a mixture.

    An event whose type has no class is read as a dict, and the log ``eventsourcing_core.codec``
    warns of it, once per type: a class that was renamed is found out so. There is no warning where
    dicts are meant: the registry has no classes at all, or this codec wrote such a dict itself.

    Args:
        serializer: A serializer, or the name of an installed one.
        transformers: Applied to the bytes in this order, undone in the reverse one.
        event_types: The registry of classes.
        max_event_bytes: The largest event, data and metadata together, encoded.

    Raises:
        UnknownPluginError: No installed plugin offers a name.
        ValueError: The upcasters of the registry go in a circle, or end without a class.
    """

    def __init__(
        self,
        serializer: Serializer | str = "json",
        *,
        transformers: Sequence[Transformer | str] = (),
        event_types: EventTypes = default_event_types,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        check_whole("max_event_bytes", max_event_bytes, lowest=1)
        given: object = event_types
        if not isinstance(given, EventTypes):
            message = (
                f"event_types is the registry, an EventTypes, got {shown(given)}: classes are "
                "registered by @event"
            )
            raise TypeError(message)
        event_types.check_upcasters()
        pipeline = Pipeline.of(serializer, transformers)
        self.encoding: str = pipeline.name
        self.serializer: Serializer = pipeline.serializer
        self.transformers: tuple[Transformer, ...] = pipeline.transformers
        self.event_types: EventTypes = event_types
        self.max_event_bytes: int = max_event_bytes
        self._write = pipeline.write
        self._known = pipeline
        self._conversions = event_types.conversions
        self._chains = event_types.chains
        self._own = Reader.of(pipeline, event_types)
        self._readers = {pipeline.name: self._own}
        self._typed = self._own.typed
        self._transform = pipeline.transform if pipeline.transformers else None
        self._plain: set[str] = set()  # types that are dicts on purpose, or were warned of

    @classmethod
    def given(cls, codec: EventCodec | None, serializer: Serializer | str | None) -> EventCodec:
        """Give the codec of a store that takes either a codec or only a serializer.

        Raises:
            ValueError: If both are given.
        """
        if codec is None:
            return cls("json" if serializer is None else serializer)
        if serializer is not None:
            message = "give a codec or a serializer: the codec has its own"
            raise ValueError(message)
        return codec

    def encode(self, event: Event[object]) -> EncodedEvent:
        """Encode one event.

        Raises:
            SerializationError: The payload or the metadata cannot be stored, or is too large.
            UnknownEventTypeError: The payload's class is not registered.
        """
        (encoded,), _ = self._encoded((event,))
        return encoded

    def _encoded(self, events: Iterable[Any]) -> tuple[tuple[EncodedEvent, ...], int]:
        """Encode events and payloads; give how many bytes they take, too."""
        conversions, typed, write, make = self._conversions, self._typed, self._write, _new
        transform, encoding, most = self._transform, self.encoding, self.max_event_bytes
        encoded, total, kind, functions = list[EncodedEvent](), 0, "", None
        for given in events:
            event: Any = given if given.__class__ is Event else self._event_of(given)
            event_type, data, metadata = event.event_type, None, None
            try:
                if typed is not None and event_type != kind:
                    kind, functions = event_type, typed[event_type]
                if functions is not None:
                    try:
                        data = functions.write(event.data)
                    except Exception:  # noqa: BLE001, S110 - the serializer decides, and says why
                        pass
                    else:
                        data = data if transform is None else transform(data)
                if data is None:
                    conversion = conversions.get(event_type)
                    data = write(
                        self._untyped(event)
                        if conversion is None
                        else conversion.encode(event.data)
                    )
                size = len(data)
                if event.metadata is not NO_METADATA and event.metadata:
                    metadata = self._encode_metadata(event)
                    size += len(metadata)
            except Exception as error:  # noqa: BLE001 - whatever the class or serializer raises
                cannot_store(event_type, error)
            if size > most:
                raise too_large(event_type, size, most)
            total += size
            event_id, timestamp, tags = event._event_id, event._timestamp, event._tags  # noqa: SLF001 - the properties take as long as all the rest
            facts = (event_type, data, metadata, encoding, event_id, timestamp, tags)
            encoded.append(make(EncodedEvent, facts))
        return tuple(encoded), total

    def encode_append(
        self,
        stream_id: str,
        events: Sequence[object],
        expected_version: int | ExpectedVersion,
        tags: Iterable[str] = NO_TAGS,
    ) -> Append:
        """Check and encode the arguments of ``EventStore.append``, before anything is sent.

        Raises:
            InvalidStreamIdError: The stream id is not one.
            ValueError: No events, a negative expected version, or a bad tag.
            TypeError: Something else than events or payloads, or than an expected version or tags.
            SerializationError: An event cannot be stored.
        """
        check_stream_id(stream_id)
        check_expected_version(expected_version)
        if not hasattr(events, "__iter__"):
            message = (
                f"append takes a sequence of events, got {type(events).__name__}: put the one into "
                "a list"
            )
            raise TypeError(message)

        known = events.by(self) if isinstance(events, EncodedEvents) else None
        encoded, size = known or self._encoded(events)
        if not encoded:
            message = f"nothing to append to stream {stream_id!r}: give at least one event"
            raise ValueError(message)
        if tags is not NO_TAGS:
            encoded = with_tags(encoded, tags_of(tags, "append:"))
        write: Write = _new(Write, (stream_id, encoded, expected_version))
        append: Append = _new(Append, ((write,), size, None, (), None))
        return append

    def encode_import(self, events: Sequence[RecordedEvent[object]]) -> Append | None:
        """Check and encode the argument of ``EventStore.import_events``; None if it is empty.

        Raises:
            InvalidStreamIdError: A stream id is not one.
            ValueError: A version below 1, or a type with a name that no store keeps.
            TypeError: Something else than recorded events.
            SerializationError: An event cannot be stored; names its stream and version.
        """
        if not hasattr(events, "__iter__"):
            message = (
                f"import_events takes a sequence of events, got {type(events).__name__}: put the "
                "one into a list"
            )
            raise TypeError(message)
        recorded = [check_recorded(event) for event in events]
        check_names(
            {event.stream_id for event in recorded}, {event.event_type for event in recorded}
        )
        return import_of(
            [(event.stream_id, event.version, self._encode_recorded(event)) for event in recorded]
        )

    def encode_rows(self, rows: Sequence[Row]) -> Append | None:
        """Check the argument of ``StorageEventStore.import_rows``; see ``append_of``."""
        return append_of(rows, encoding=self.encoding, max_event_bytes=self.max_event_bytes)

    def _encode_recorded(self, event: RecordedEvent[object]) -> EncodedEvent:
        try:
            return self.encode(event)
        except (SerializationError, TransformError) as error:
            message = f"version {event.version} of stream {event.stream_id!r}: {error}"
            raise type(error)(message) from error

    def decode(  # noqa: C901 - written out, see below
        self, rows: Iterable[Row]
    ) -> Iterator[RecordedEvent[Any]]:
        """Decode stored events, each when it is asked for.

        Upcasters may make several events of a stored one, or none.

        Raises:
            SerializationError: Bytes cannot be read; names stream, version, type and encoding.
            UnknownEventTypeError: A type has no class, and the registry is strict.
        """
        # Written out: a call takes a twentieth of a replay. Texts that are the same are kept once.
        readers, conversions, chains = self._readers, self._conversions, self._chains
        opened, closed, texts = OpenRecordedEvent, RecordedEvent, dict[str, str]()
        refused, found = object(), rows.values() if isinstance(rows, Columns) else rows
        stream = kind = last = ""
        (read, typed, restore), finish, direct = self._own, None, None
        for stream_id, version, at, event_type, data, metadata, encoding, id_, time, tags in found:
            try:
                if (
                    event_type != kind
                    or encoding != last
                    or (finish is None and event_type in conversions)
                ):
                    read, typed, restore = readers.get(encoding) or self._reader(encoding)
                    finish = getattr(conversions.get(event_type), "decode", None)
                    direct = None if typed is None else getattr(typed[event_type], "read", None)
                    kind, last = texts.setdefault(event_type, event_type), encoding
                payload = refused
                if direct is not None:
                    try:  # noqa: SIM105 - suppress takes a tenth of the time of all the rest
                        payload = direct(data if restore is None else restore(data))
                    except Exception:  # noqa: BLE001, S110 - the converter decides, and says why
                        pass
                if payload is refused:
                    payload = read(data)
                    if finish is not None:
                        payload = finish(payload)
                    elif event_type in chains:  # a type that has a class has no upcaster
                        payload = chains[event_type](payload)
                    else:
                        self._check_untyped(event_type, payload)
                kept = NO_METADATA if metadata is None else _frozen(read(metadata))
            except Exception as error:  # noqa: BLE001 - damaged bytes raise anything
                cannot_read(error, stream_id, version, event_type, encoding)
            if stream_id != stream:
                stream = texts.setdefault(stream_id, stream_id)
            if finish is None and type(payload) is list:  # of an upcaster, else it is a dict
                yield from _several(payload, id_, time, kept, stream, version, at, tags)
                continue
            event = opened()
            event.event_type = kind
            event.data = payload
            event._event_id = id_  # noqa: SLF001 - it is being built
            event._timestamp = time  # noqa: SLF001 - as above
            event.metadata = kept
            event.stream_id = stream
            event.version = version
            event.position = at
            event._tags = tags if tags is None else tuple(tags)  # noqa: SLF001 - as above
            event.__class__ = closed
            yield event

    def typed(self, cls: type) -> TypedDecision:
        """Tell whether a plugin encodes and decodes a class's payloads, without a tree between.

        That is decided for each class once, by its type hints. Stored bytes and errors are the
        same in either case.

        Raises:
            UnknownEventTypeError: The class is not registered.
            TypeError: It is no class.
        """
        return decision_about(cls, self._own, self.event_types)

    def _reader(self, encoding: str) -> Reader:
        reader = Reader.of(pipeline_named(encoding, self._known), self.event_types)
        self._readers[encoding] = reader
        return reader

    def _event_of(self, event: object) -> Event[object]:
        """Give an event as it is, and make one of a payload."""
        if isinstance(event, Event):
            return cast("Event[object]", event)  # of what, nobody can tell
        try:
            return Event.of(event, event_types=self.event_types)
        except UnknownEventTypeError:
            name = type(event).__name__
            message = (
                f"append takes events or payloads of registered classes, got {name}: decorate its "
                "class with @event, or give Event('name', {…})"
            )
            raise TypeError(message) from None

    def _untyped(self, event: Event[object]) -> object:
        payload: object = event.data
        kind = type(payload)
        if kind is not dict:
            name = self.event_types.name_of(kind)
            message = f"its payload's class is registered as {name!r}: use Event.of(payload)"
            raise SerializationError(message)
        if self.event_types.strict:
            raise no_class(event.event_type)
        tree: object = plain_tree(payload, "data")
        self._plain.add(event.event_type)
        return tree

    def _check_untyped(self, event_type: str, payload: object) -> None:
        if self.event_types.strict:
            raise no_class(event_type)
        if type(payload) is not dict:
            message = f"expected a dict, found {type(payload).__name__}"
            raise SerializationError(message)
        if event_type not in self._plain:
            self._plain.add(event_type)
            if self._conversions:  # who has no classes at all reads dicts on purpose
                logger.warning(NO_CLASS, event_type, event_type)

    def _encode_metadata(self, event: Event[object]) -> bytes:
        metadata = dict(event.metadata)
        return self._write(plain_tree(metadata, "metadata"))


def _frozen(metadata: Any) -> MappingProxyType[str, object]:
    return MappingProxyType(metadata)


def _several(made: Any, *facts: Any) -> Iterator[RecordedEvent[Any]]:
    """Give the events that upcasters made of a stored one, of which they share the facts."""
    event_id, time, metadata, stream_id, version, position, tags = facts
    place = (stream_id, version, position, tags if tags is None else tuple(tags))
    for name, payload in made:
        yield new_recorded_event(name, payload, event_id, time, metadata, *place)
