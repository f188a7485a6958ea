"""Groups and conditions: what the front refuses before it writes, and how the rest is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from eventsourcing_core import (
    BoundaryError,
    ConcurrencyError,
    Event,
    EventCodec,
    EventTypes,
    ExpectedVersion,
    HistoryChangedError,
    Marker,
    Query,
    StorageError,
    StorageEventStore,
    StreamAt,
    ToStream,
    event,
    upcaster,
)
from eventsourcing_core.stores import (
    ALL_GUARANTEES,
    Append,
    Condition,
    EncodedEvent,
    Found,
    Guarantee,
    Judge,
    MissedError,
    QueryItem,
    Required,
    Row,
    Witness,
    Write,
    Written,
)
from eventsourcing_core.testing._samples import collected, numbers_of
from eventsourcing_core.testing._storage.counting import CountingStorage
from eventsourcing_inmemory._backend import parts_of
from eventsourcing_inmemory._log import EventLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANY = ExpectedVersion.ANY
COURSE = Query(tags={"course"})
KNOWN = StreamAt("known", 1)


def counted(*numbers: int, tags: tuple[str, ...] = ()) -> list[Event[object]]:
    return [Event("groups.counted", {"number": number}, tags=tags) for number in numbers]


def to(stream_id: str, *numbers: int, tags: tuple[str, ...] = ()) -> ToStream:
    return ToStream(stream_id, counted(*numbers), expected_version=ANY, tags=tags)


@pytest.fixture
def storage() -> CountingStorage:
    kept = parts_of(EventLog()).storage
    assert kept is not None
    return CountingStorage(kept)


@pytest.fixture
async def store(storage: CountingStorage) -> AsyncIterator[StorageEventStore]:
    parts = replace(parts_of(EventLog()), storage=storage)
    async with StorageEventStore(parts, EventCodec(event_types=EventTypes())) as store:
        yield store


BAD_GROUPS: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "nothing": ([], [], ValueError, "nothing to append: give at least one ToStream"),
    "no list": (to("a", 1), [], TypeError, "writes is a list of ToStream, got ToStream"),
    "something else": ([to("a", 1), "b"], [], TypeError, "writes is a list of ToStream, and holds"),
    "no events": ([to("a")], [], ValueError, "nothing to append to stream 'a'"),
    "one event": (
        [ToStream("a", counted(1)[0], expected_version=0)],  # type: ignore[arg-type]  # the mistake
        [],
        TypeError,
        "a sequence of events",
    ),
    "a bad stream": ([to("", 1)], [], ValueError, "invalid stream id"),
    "a bad version": ([ToStream("a", counted(1), expected_version=-1)], [], ValueError, "0 or"),
    "a stream twice": (
        [to("a", 1), to("b", 2), to("a", 3)],
        [],
        ValueError,
        "stream 'a' is named twice: put the events of a stream into one ToStream",
    ),
    "two expectations": (
        [to("a", 1), ToStream("a", counted(2), expected_version=3)],
        [],
        ValueError,
        "stream 'a' is named twice",
    ),
    "bad tags": ([to("a", 1, tags=("x", "x"))], [], ValueError, "'x' twice"),
    "no required stream": ([to("a", 1)], ["b"], TypeError, "requires is a list of StreamAt, and"),
    "one required stream": ([to("a", 1)], KNOWN, TypeError, "requires is a list of StreamAt, got"),
    "required and written": (
        [to("a", 1)],
        [StreamAt("a", 0)],
        ValueError,
        "stream 'a' is written to and required: give the version as its expected_version",
    ),
    "required twice": (
        [to("a", 1)],
        [KNOWN, KNOWN],
        ValueError,
        "stream 'known' is required twice",
    ),
    "a bad required stream": ([to("a", 1)], [StreamAt("", 0)], ValueError, "invalid stream id"),
    "a bad required version": (
        [to("a", 1)],
        [StreamAt("b", -1)],
        ValueError,
        "version of the required stream 'b' must be 0 or more, got -1",
    ),
    "no required version": (
        [to("a", 1)],
        [StreamAt("b", ANY)],  # type: ignore[arg-type]  # the mistake
        TypeError,
        "version of the required stream 'b' must be an int",
    ),
}


@pytest.mark.parametrize("name", BAD_GROUPS)
async def test_a_bad_group_is_refused_before_anything_is_written(
    store: StorageEventStore, storage: CountingStorage, name: str
) -> None:
    writes, requires, error, message = BAD_GROUPS[name]
    with pytest.raises(error, match=message):
        await store.append_together(writes, requires=requires)
    assert storage.calls == {}


async def test_a_marker_of_another_store_is_refused(store: StorageEventStore) -> None:
    async with StorageEventStore(parts_of(EventLog())) as other:
        marker = (await other.read_matching(COURSE)).marker
    with pytest.raises(ValueError, match="the marker is of another store"):
        await store.append_together([to("a", 1)], unless_changed=marker)
    view: Any = await store.read_matching(COURSE)
    with pytest.raises(
        TypeError, match="unless_changed is a marker of read_matching, got Matching"
    ):
        await store.append_together([to("a", 1)], unless_changed=view)


async def test_a_marker_of_before_a_restore_is_refused(store: StorageEventStore) -> None:
    await store.append("a", counted(1, 2), expected_version=0)
    marker = (await store.read_matching(COURSE)).marker
    log = EventLog()  # as it was before
    async with StorageEventStore(parts_of(log), EventCodec(event_types=EventTypes())) as restored:
        token = (await restored.read_matching(COURSE)).marker.store
        for count in (1, 2, 3):  # it has fewer events, as many, and more
            await restored.append("b", counted(count), expected_version=count - 1)
            with pytest.raises(HistoryChangedError):
                await restored.append_together(
                    [to("c", 1)], unless_changed=replace(marker, store=token)
                )
        assert len(await collected(restored.read_all())) == 3


def test_a_marker_shows_how_far_it_goes() -> None:
    assert repr(Marker(Condition((), 7, frozenset(), None), (), b"")) == "<Marker at position 7>"


async def test_a_group_takes_any_iterable_once(store: StorageEventStore) -> None:
    writes: Any = (to(stream_id, 1) for stream_id in "ba")
    results = await store.append_together(writes, requires=iter([StreamAt("c", 0)]))  # type: ignore[arg-type]  # iterables do
    assert [result.version for result in results] == [1, 1]
    assert [event.stream_id for event in await collected(store.read_all())] == ["a", "b"]


@pytest.mark.parametrize("missing", [Guarantee.GROUPS, Guarantee.BOUNDARIES])
async def test_what_a_storage_does_not_promise_is_refused(missing: Guarantee) -> None:
    parts = replace(parts_of(EventLog()), guarantees=ALL_GUARANTEES - {missing}, holding=None)
    async with StorageEventStore(parts, EventCodec(event_types=EventTypes())) as store:
        if missing is Guarantee.GROUPS:
            for requires in ([], [KNOWN]):
                with pytest.raises(StorageError, match="InMemoryStorage appends to one stream at"):
                    await store.append_together([to("a", 1), to("b", 2)], requires=requires)
            await store.append_together([to("a", 1, tags=("x",))])
            return
        await store.append_together([to("a", 1), to("b", 2)])
        with pytest.raises(StorageError, match="InMemoryStorage keeps no tags"):
            await store.append("a", counted(1, tags=("x",)), expected_version=ANY)
        with pytest.raises(StorageError, match="keeps no tags"):
            await store.append_together([to("a", 1, tags=("x",))])
        async with store.transaction() as transaction:
            with pytest.raises(StorageError, match="keeps no tags"):
                await transaction.append("a", counted(1), expected_version=ANY, tags=["x"])
        with pytest.raises(StorageError, match="takes no queries"):
            await store.read_matching(COURSE)
        with pytest.raises(StorageError, match="holds no tags"):
            async with store.hold("x"):
                pass


async def test_bad_holds_are_refused(store: StorageEventStore) -> None:
    for tags, error in (((), ValueError), (("",), ValueError), (("a", "a"), ValueError)):
        with pytest.raises(error):
            async with store.hold(*tags):
                pass


# Conditions and upcasters.


async def test_conditions_by_class_are_about_all_names_that_lead_to_it() -> None:
    log, types = EventLog(), EventTypes()
    async with StorageEventStore(parts_of(log), EventCodec(event_types=EventTypes())) as before:
        await before.append(
            "s", [Event("groups.old", {"n": 1}, tags={"course"})], expected_version=0
        )

    @event("groups.new", event_types=types)
    class New:
        number: int

    @upcaster("groups.old", to="groups.new", event_types=types)
    def renamed(data: dict[str, Any]) -> dict[str, Any]:
        return {"number": data["n"]}

    del renamed
    query = Query(tags={"course"}, event_types=[New])
    async with StorageEventStore(parts_of(log), EventCodec(event_types=types)) as store:
        view = await store.read_matching(query)
        assert [event.data for event in view.events] == [New(1)]
        assert [event.data async for event in store.read_all(query=query)] == [New(1)]
        async with StorageEventStore(parts_of(log), EventCodec(event_types=EventTypes())) as old:
            late = Event("groups.old", {"n": 2}, tags={"course"})
            await old.append("s", [late], expected_version=1)
        with pytest.raises(BoundaryError) as caught:
            await store.append_together([to_new(New(3))], unless_changed=view.marker)
        assert [event.data for event in caught.value.events] == [New(2)]


def to_new(payload: object) -> ToStream:
    return ToStream("t", [payload], expected_version=0)


async def test_an_error_says_how_many_were_missed(store: StorageEventStore) -> None:
    marker = (await store.read_matching(COURSE)).marker
    await store.append("a", counted(1, 2, tags=("course",)), expected_version=0)
    with pytest.raises(
        BoundaryError, match="2 events that match have come since.*position 1; .*attempts="
    ):
        await store.append_together([to("b", 3)], unless_changed=marker)


async def test_the_events_of_a_transaction_that_was_rolled_back_were_never_there(
    store: StorageEventStore,
) -> None:
    marker = (await store.read_matching(COURSE)).marker
    later: list[Marker] = []

    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1, tags=("course",)), expected_version=0)
            with pytest.raises(BoundaryError) as caught:
                await transaction.append_together([to("b", 2)], unless_changed=marker)
            later.append(caught.value.marker)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    with pytest.raises(HistoryChangedError):
        await store.append_together([to("b", 2)], unless_changed=later[0])
    await store.append_together([to("b", 2)], unless_changed=marker)


# What storages decide by.


def encoded(number: int, *tags: str, event_type: str = "x") -> EncodedEvent:
    return EncodedEvent(event_type, b"", None, "json", bytes(15) + bytes([number]), 0, tags or None)


def append_of(number: int, *tags: str, stream_id: str = "s", **more: Any) -> Append:
    return Append((Write(stream_id, (encoded(number, *tags),), ANY),), 0, **more)


def condition_on(*tags: str, horizon: int = 0, seen: tuple[int, ...] = ()) -> Condition:
    return Condition((QueryItem(frozenset(tags)),), horizon, frozenset(seen), None)


def row_of(position: int, *tags: str) -> Row:
    return Row("r", position, position, *encoded(position, *tags))


def test_the_keys_of_an_append_are_all_its_streams() -> None:
    append = append_of(1, requires=(Required("a", 1), Required("z", 0)))
    assert append.keys == ("s", "a", "z")
    assert not append.is_plain
    assert append_of(1).keys == ("s",)
    assert append_of(1).is_plain
    assert not append_of(1, condition=condition_on("a")).is_plain


def test_a_judge_looks_at_required_streams() -> None:
    judge = Judge({"a": 2}, {}, 10)
    for version, is_right in ((1, False), (2, True), (3, False)):
        verdict = judge.judge(append_of(version, requires=(Required("a", version),)))
        assert isinstance(verdict, Written) is is_right
    verdict = judge.judge(append_of(9, stream_id="a"))
    assert isinstance(verdict, Written)
    verdict = judge.judge(append_of(10, requires=(Required("a", 2),)))
    assert isinstance(verdict, ConcurrencyError)
    assert (verdict.stream_id, verdict.expected, verdict.actual) == ("a", 2, 3)


def test_a_judge_sees_what_earlier_appends_of_the_batch_write() -> None:
    judge = Judge({}, {}, 10)
    found = Found([], 10)
    condition = condition_on("a", horizon=10)
    assert isinstance(judge.judge(append_of(1, "b")), Written)
    assert isinstance(judge.judge(append_of(2, "a", condition=condition), found), Written)
    verdict = judge.judge(append_of(3, "a", condition=condition), found)
    assert isinstance(verdict, MissedError)
    assert ([row.position for row in verdict.rows], verdict.horizon) == ([12], 12)
    assert [row.position for row in judge.rows] == [11, 12]


def test_a_judge_passes_over_what_was_read() -> None:
    judge = Judge({}, {}, 20)
    rows = [row_of(position, "a") for position in (5, 11, 15)]
    condition = condition_on("a", horizon=10, seen=(15,))
    verdict = judge.judge(append_of(1, condition=condition), Found(rows, 20))
    assert isinstance(verdict, MissedError)
    assert ([row.position for row in verdict.rows], verdict.horizon) == ([11], 20)
    condition = condition_on("a", horizon=10, seen=(11, 15))
    assert isinstance(judge.judge(append_of(1, condition=condition), Found(rows, 20)), Written)


def test_the_horizon_of_a_long_refusal_is_at_its_last_event() -> None:
    rows = [row_of(position, "a") for position in range(1, 102)]
    for count, horizon in ((101, 100), (100, 500)):
        verdict = Judge({}, {}, 500).judge(
            append_of(120, condition=condition_on("a")), Found(rows[:count], 500)
        )
        assert isinstance(verdict, MissedError)
        assert (len(verdict.rows), verdict.horizon) == (100, horizon)
        assert verdict.are_more is (count > 100)


def test_a_witness_must_be_there() -> None:
    condition = condition_on("a", horizon=5)._replace(witness=Witness(4, bytes(16)))
    for there, found in ((None, None), (bytes(15) + b"1", UUID(bytes=bytes(15) + b"1"))):
        verdict = Judge({}, {}, 9).judge(append_of(1, condition=condition), Found([], 9, there))
        assert isinstance(verdict, HistoryChangedError)
        assert (verdict.position, verdict.found, verdict.last_position) == (4, found, 9)
    verdict = Judge({}, {}, 9).judge(append_of(1, condition=condition), Found([], 9, bytes(16)))
    assert isinstance(verdict, Written)


def test_a_repetition_is_one_whatever_has_happened_since() -> None:
    row = row_of(3, "a")
    append = Append(
        (Write("r", (encoded(3, "a"),), 2),),
        0,
        requires=(Required("z", 9),),
        condition=condition_on("a"),
    )
    verdict = Judge({"r": 7}, {row.event_id: row}, 9).judge(append, Found([row], 9))
    assert isinstance(verdict, Written)
    assert (verdict.count, verdict.results[0].position) == (0, 3)


def test_a_condition_that_nobody_looked_for_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="settled by what was found"):
        append_of(1, condition=condition_on("a")).settle({}, {})


async def test_the_streams_of_a_group_are_in_their_own_order(store: StorageEventStore) -> None:
    await store.append_together([to("b", 1), to("a", 2)])
    assert numbers_of(await collected(store.read_all())) == [2, 1]
