"""What was appended comes back: payload, metadata, id, time, names."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from threading import get_ident
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core._payloads.serializer import JsonSerializer
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import (
    COUNTED,
    EVENT_TYPES,
    Opened,
    collected,
    counted,
    numbers_of,
)

if TYPE_CHECKING:
    from typing import Any

    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.testing._contract import OpenStore

TEXTS = (
    "",
    "plain",
    "Zoë",
    "日本語",
    "🎉\U0010ffff",
    "NUL \0 inside",
    "line\nbreak\ttab\r",
    "'\"`\\%_$;--",
    " spaces ",
    "e\u0301 is not \u00e9",
)


class Marked(JsonSerializer):
    """JSON with a mark before it, so that bytes of another serializer are no use to it."""

    name = "contract"

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.threads: set[int] = set()

    def serialize(self, tree: object) -> bytes:
        self.written += 1
        self.threads.add(get_ident())
        return b"\0\xff" + super().serialize(tree)

    def deserialize(self, data: bytes) -> object:
        self.threads.add(get_ident())
        if data[:2] != b"\0\xff":
            message = "the mark is missing"
            raise ValueError(message)
        return super().deserialize(data[2:])


async def stored(store: EventStore, event: Event[object]) -> RecordedEvent[Any]:
    """Append one event, and read it back."""
    result = await store.append("doc-1", [event], expected_version=ANY)
    (recorded,) = await collected(store.read("doc-1", from_version=result.version))
    (listed,) = await collected(store.read_all(after_position=result.position - 1))
    assert listed == recorded
    return recorded


class ValueContract(Chapter):
    """Values, from everyday ones to those at the edge of what is allowed."""

    async def test_a_recorded_event_knows_its_place(self, store: EventStore) -> None:
        result = await store.append("doc-1", counted(1), expected_version=0)
        (event,) = await collected(store.read("doc-1"))
        assert type(event) is RecordedEvent
        place = (event.stream_id, event.version, event.position)
        assert place == ("doc-1", result.version, result.position)
        assert event.event_type == COUNTED

    async def test_a_stream_id_comes_back_as_it_was_spelt(self, store: EventStore) -> None:
        await store.append("Doc-É-ß", counted(1), expected_version=0)
        (read,) = await collected(store.read("Doc-É-ß"))
        (listed,) = await collected(store.read_all())
        assert (read.stream_id, listed.stream_id) == ("Doc-É-ß", "Doc-É-ß")

    async def test_a_typed_payload_comes_back_as_its_class(self, store: EventStore) -> None:
        payload = Opened(
            owner="Zoë",
            balance=Decimal("10.10"),
            reference=UUID(int=5),
            due=datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            labels=("x", "y"),
        )
        recorded = await stored(store, Event.of(payload, event_types=EVENT_TYPES))
        assert type(recorded.data) is Opened
        assert recorded.data == payload
        assert recorded.event_type == "contract.opened"

    async def test_payloads_are_appended_without_events_around_them(
        self, store: EventStore
    ) -> None:
        await store.append("doc-1", [Opened("Zoë"), *counted(1)], expected_version=0)
        first, second = await collected(store.read("doc-1"))
        assert (first.event_type, first.data) == ("contract.opened", Opened("Zoë"))
        assert numbers_of([second]) == [1]

    async def test_an_untyped_payload_comes_back_as_its_dict(self, store: EventStore) -> None:
        payload: dict[str, object] = {
            "nothing": None,
            "yes": True,
            "integers": [0, -1, 2**63, -(2**70)],
            "floats": [0.1, 1.0, -1e300],
            "text": list(TEXTS),
            "bytes": bytes(range(256)),
            "id": UUID(int=7),
            "times": [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), date(2026, 1, 2), time(3, 4)],
            "duration": timedelta(days=-1, microseconds=1),
            "amount": Decimal("1.10"),
            "nested": {"": [], "$uuid": {"deeper": [{}]}},
        }
        recorded = await stored(store, Event("contract.untyped", payload))
        assert recorded.data == payload
        assert repr(recorded.data) == repr(payload)  # types too: True is not 1, 1.0 is not 1

    async def test_metadata_come_back(self, store: EventStore) -> None:
        metadata = {"user": "Zoë", "attempt": 2, "trace": {"ids": [UUID(int=1), None]}}
        event = Event(COUNTED, {"number": 1}, metadata=metadata)
        assert dict((await stored(store, event)).metadata) == metadata

    async def test_no_metadata_come_back_as_none_at_all(self, store: EventStore) -> None:
        assert dict((await stored(store, counted(1)[0])).metadata) == {}

    @pytest.mark.parametrize("event_id", [UUID(int=0), UUID(int=2**128 - 1), UUID(int=0x1234)])
    async def test_an_event_id_comes_back(self, store: EventStore, event_id: UUID) -> None:
        event = Event(COUNTED, {"number": 1}, event_id=event_id)
        assert (await stored(store, event)).event_id == event_id

    @pytest.mark.parametrize(
        "timestamp",
        [
            datetime(2026, 11, 23, 12, 30, 15, 123457, tzinfo=UTC),
            datetime(2026, 11, 23, 12, 30, 15, 1, tzinfo=UTC),
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ],
    )
    async def test_a_timestamp_comes_back_to_the_microsecond(
        self, store: EventStore, timestamp: datetime
    ) -> None:
        event = Event(COUNTED, {"number": 1}, timestamp=timestamp)
        assert (await stored(store, event)).timestamp == timestamp

    @pytest.mark.parametrize("hours", [5.5, -11, 14])
    async def test_a_timestamp_of_another_zone_comes_back_in_utc(
        self, store: EventStore, hours: float
    ) -> None:
        zone = timezone(timedelta(hours=hours))
        local = datetime(2026, 3, 1, 0, 30, 15, 123456, tzinfo=zone)
        recorded = await stored(store, Event(COUNTED, {"number": 1}, timestamp=local))
        assert recorded.timestamp == local
        assert recorded.timestamp.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("text", TEXTS)
    async def test_text_comes_back(self, store: EventStore, text: str) -> None:
        event = Event(COUNTED, {"text": text, text: 1}, metadata={"text": text, text: 1})
        recorded = await stored(store, event)
        assert recorded.data == {"text": text, text: 1}
        assert dict(recorded.metadata) == {"text": text, text: 1}

    @pytest.mark.parametrize(
        "name",
        ["x", "x" * 255, "é" * 255, "🎉" * 255, " ", "a/b?c=d#e", "'; --", "\u200b", "$1 %s {x}"],
    )
    async def test_names_come_back(self, store: EventStore, name: str) -> None:
        await store.append(name, [Event(name, {"number": 1})], expected_version=0)
        (recorded,) = await collected(store.read(name))
        assert (recorded.stream_id, recorded.event_type) == (name, name)
        (found,) = await collected(store.read_all(stream_prefix=name, event_types={name}))
        assert found == recorded

    @pytest.mark.parametrize(
        ("one", "other"),
        [("doc", "Doc"), ("é", "É"), ("\u00e9", "e\u0301"), ("a", "a "), ("ß", "ss"), ("1", "01")],
    )
    async def test_names_that_look_alike_are_different_streams(
        self, store: EventStore, one: str, other: str
    ) -> None:
        await store.append(one, counted(1), expected_version=0)
        await store.append(other, counted(2), expected_version=0)
        assert numbers_of(await collected(store.read(one))) == [1]
        assert numbers_of(await collected(store.read(other))) == [2]

    async def test_a_large_event_comes_back(self, store: EventStore) -> None:
        payload = {"bytes": bytes(range(256)) * 4096, "text": "é" * 500_000}
        assert (await stored(store, Event("contract.untyped", payload))).data == payload

    async def test_events_are_stored_with_the_serializer_of_the_codec(
        self, open_store: OpenStore
    ) -> None:
        serializer = Marked()
        async with open_store(EventCodec(serializer, event_types=EVENT_TYPES)) as store:
            event = Event.of(Opened("Zoë"), metadata={"user": "x"}, event_types=EVENT_TYPES)
            recorded = await stored(store, event)
        assert serializer.written == 2  # the payload and the metadata
        assert serializer.threads == {get_ident()}  # that of the event loop
        assert recorded.data == Opened("Zoë")
        assert dict(recorded.metadata) == {"user": "x"}
