from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from eventsourcing_core import Event, EventTypes, RecordedEvent, UnknownEventTypeError, event

types = EventTypes()


@event(event_types=types)
class Opened:
    owner: str


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_of_names_the_event_by_the_class_of_the_payload() -> None:
    made = Event.of(Opened("Alice"), event_types=types)
    assert (made.event_type, made.data) == ("Opened", Opened("Alice"))


def test_of_refuses_a_class_that_is_not_registered() -> None:
    with pytest.raises(UnknownEventTypeError, match="int is not a registered event class"):
        Event.of(7)


def test_the_timestamp_is_now_in_utc_unless_given() -> None:
    before = datetime.now(UTC)
    made = Event("Opened", {"a": 1}).timestamp
    assert before - timedelta(microseconds=1) <= made <= datetime.now(UTC)
    assert made.tzinfo is UTC


@pytest.mark.parametrize(
    "timestamp",
    [
        NOON,
        datetime(1815, 12, 10, 1, 2, 3, 456789, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2011, 10, 11, 13, 45, 40, 276000, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_given_timestamp_is_kept_to_the_microsecond(timestamp: datetime) -> None:
    assert Event("Opened", {"a": 1}, timestamp=timestamp).timestamp == timestamp


def test_a_naive_timestamp_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        Event("Opened", {"a": 1}, timestamp=datetime(2026, 11, 23))  # noqa: DTZ001 - the mistake
    with pytest.raises(ValueError, match="has no time zone"):
        Event.of(Opened("A"), timestamp=datetime(2026, 11, 23), event_types=types)  # noqa: DTZ001 - as above


def test_a_given_event_id_is_kept() -> None:
    event_id = uuid4()
    made = Event("Opened", {"a": 1}, event_id=event_id)
    assert (made.event_id, made.raw_event_id) == (event_id, event_id.bytes)


def test_events_cannot_be_changed() -> None:
    made = Event("Opened", {"a": 1})
    with pytest.raises(AttributeError, match="immutable: cannot set 'data'"):
        made.data = {"a": 2}
    with pytest.raises(AttributeError, match="immutable: cannot delete 'data'"):
        del made.data
    with pytest.raises(AttributeError):
        made.__dict__  # noqa: B018 - it is the access that must fail


def test_metadata_cannot_be_changed() -> None:
    made = Event("Opened", {"a": 1}, metadata={"user": "alice"})
    with pytest.raises(TypeError):
        made.metadata["user"] = "mallory"  # type: ignore[index]  # pyright: ignore[reportIndexIssue] - the mistake


@pytest.mark.parametrize(
    "change",
    [
        {"event_type": "Closed"},
        {"data": {"a": 2}},
        {"event_id": UUID(int=2)},
        {"timestamp": NOON.replace(hour=1)},
        {"metadata": {"b": 3}},
    ],
    ids=repr,
)
def test_events_are_equal_when_every_field_is(change: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "event_type": "Opened",
        "data": {"a": 1},
        "event_id": UUID(int=1),
        "timestamp": NOON,
        "metadata": {"b": 2},
    }
    changed: dict[str, Any] = facts | change
    assert Event(**facts) == Event(**facts)
    assert hash(Event(**facts)) == hash(Event(**facts))
    assert Event(**facts) != Event(**changed)


def test_an_event_is_not_equal_to_the_same_event_recorded() -> None:
    made = Event("Opened", {"a": 1}, event_id=UUID(int=1), timestamp=NOON)
    assert made != recorded()
    assert made != "Opened"


def recorded(version: int = 3) -> RecordedEvent[dict[str, int]]:
    return RecordedEvent(
        "Opened",
        {"a": 1},
        stream_id="doc-1",
        version=version,
        position=7,
        event_id=UUID(int=1),
        timestamp=NOON,
        metadata={"b": 2},
    )


def test_a_recorded_event_is_an_event_with_a_place() -> None:
    made = recorded()
    assert isinstance(made, Event)
    assert (made.stream_id, made.version, made.position) == ("doc-1", 3, 7)
    assert made == recorded()
    assert made != recorded(version=4)


@pytest.mark.parametrize(("version", "position"), [(0, 1), (1, 0)])
def test_a_recorded_event_stands_at_version_and_position_1_or_later(
    version: int, position: int
) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        RecordedEvent("Opened", {"a": 1}, stream_id="doc-1", version=version, position=position)


def test_the_repr_says_what_where_and_when() -> None:
    assert repr(recorded()) == (
        "RecordedEvent('Opened', {'a': 1}, event_id='00000000-0000-0000-0000-000000000001', "
        "timestamp='2026-11-23T12:00:00+00:00', metadata={'b': 2}, "
        "stream_id='doc-1', version=3, position=7)"
    )


@pytest.mark.parametrize(
    "made", [Event("Opened", {"a": 1}), Event("Opened", {"a": 1}, metadata={"u": 1}), recorded()]
)
def test_events_can_be_pickled_and_copied(made: Event[object]) -> None:
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - our own bytes
    assert copy.copy(made) == made
    assert copy.deepcopy(made) == made


@pytest.mark.parametrize(
    "timestamp",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_timestamp_without_a_date_in_utc_is_refused(timestamp: datetime) -> None:
    with pytest.raises(ValueError, match="not between the years 1 and 9999 in UTC"):
        Event("Opened", {"a": 1}, timestamp=timestamp)


@pytest.mark.parametrize(
    ("facts", "message"),
    [({"event_id": "abc"}, "an event id is a UUID"), ({"timestamp": "now"}, "is a datetime")],
)
def test_an_id_or_time_of_another_type_is_refused(facts: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Event("Opened", {"a": 1}, **facts)
