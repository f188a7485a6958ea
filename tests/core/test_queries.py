"""Queries and tags: what they are, and what is refused before anything is asked or written."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, Query, RecordedEvent, event
from eventsourcing_core.stores import Columns, QueryItem, Row, RowIndex, RowQuery

TYPES = EventTypes()


@event(
    "queries.enrolled",
    event_types=TYPES,
    tags=lambda e: {f"course:{e.course}", f"student:{e.student}"},
)
class Enrolled:
    course: int
    student: int


BAD_TAGS: dict[str, tuple[Any, type[Exception], str]] = {
    "empty": ({""}, ValueError, "invalid tag '': it is empty"),
    "too long": ({"x" * 256}, ValueError, "256 characters, at most 255"),
    "a control character": ({"a\0"}, ValueError, "control character U\\+0000"),
    "half a pair": ({"\ud800"}, ValueError, "U\\+D800"),
    "no text": ({1}, TypeError, "a tag is a str, got int: 1"),
    "one text": ("course:1", TypeError, "tags are a set of texts, got 'course:1'"),
    "a dict": ({"course": "1"}, TypeError, "got the dict {'course': '1'}: make one text of each"),
    "bytes": (b"a", TypeError, "tags are a set of texts"),
    "no collection": (7, TypeError, "tags are a set of texts, got 7"),
    "doubled in a list": (["a", "b", "a"], ValueError, "tags hold 'a' twice: tags are a set"),
    "doubled in a tuple": (("a", "a"), ValueError, "twice"),
    "doubled by a generator": ((each for each in "aa"), ValueError, "twice"),
    "too many": ({f"{n}" for n in range(101)}, ValueError, "101 tags, at most 100"),
}


@pytest.mark.parametrize("name", [name for name in BAD_TAGS if "generator" not in name])
def test_bad_tags_are_refused(name: str) -> None:
    tags, error, message = BAD_TAGS[name]
    with pytest.raises(error, match=message):
        Event("Opened", {}, tags=tags)
    with pytest.raises(error, match=message):
        Event.of(Enrolled(1, 2), tags=tags, event_types=TYPES)
    with pytest.raises(error, match=message):
        Query(tags=tags)
    with pytest.raises(error, match=message):
        RecordedEvent("Opened", {}, stream_id="s", version=1, position=1, tags=tags)


def test_a_tag_that_a_generator_gives_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Event("Opened", {}, tags=(each for each in "aa"))


def test_bad_tags_of_a_class_are_refused_and_name_its_event() -> None:
    types = EventTypes()

    @event("queries.bad", event_types=types, tags=lambda _: ["a", "a"])
    class Bad:
        pass

    with pytest.raises(ValueError, match=r"@event\('queries.bad', tags=…\): tags hold 'a' twice"):
        Event.of(Bad(), event_types=types)


def test_a_bad_tag_is_told_with_what_it_is_of() -> None:
    types = EventTypes()

    @event("queries.of", event_types=types, tags=lambda _: {""})
    class Bad:
        pass

    with pytest.raises(ValueError, match=r"^@event\('queries.of', tags=…\): invalid tag '': it is"):
        Event.of(Bad(), event_types=types)
    with pytest.raises(ValueError, match="^the event 'Opened': invalid tag '': it is empty"):
        Event("Opened", {}, tags={""})
    with pytest.raises(ValueError, match="^a query: it has 101 tags"):
        Query(tags={f"{n}" for n in range(101)})
    number: Any = 1
    with pytest.raises(TypeError, match="^a query: a tag is a str, got int: 1"):
        Query(tags={number})


def test_own_tags_are_added_to_those_of_the_class() -> None:
    made = Event.of(Enrolled(1, 2), tags=["course:1", "term:3"], event_types=TYPES)
    assert made.tags == {"course:1", "student:2", "term:3"}
    assert Event.of(Enrolled(1, 2), event_types=TYPES).tags == {"course:1", "student:2"}


def test_both_together_may_be_a_hundred() -> None:
    tags = {f"{number}" for number in range(98)}
    assert len(Event.of(Enrolled(1, 2), tags=tags, event_types=TYPES).tags) == 100
    with pytest.raises(ValueError, match="'queries.enrolled': it has 101 tags"):
        Event.of(Enrolled(1, 2), tags=tags | {"x"}, event_types=TYPES)


def test_what_gives_tags_is_a_function() -> None:
    bad: Any = {"course:1"}
    with pytest.raises(TypeError, match="tags is a function"):
        event("queries.never", event_types=EventTypes(), tags=bad)


def test_a_class_that_is_defined_again_has_the_tags_of_its_new_definition() -> None:
    types = EventTypes()
    made: list[type[Any]] = []

    def define(tag: str) -> None:
        @event("queries.again", event_types=types, tags=lambda _: {tag})
        class Again:
            pass

        made.append(Again)

    define("old")
    define("new")
    assert [Event.of(each(), event_types=types).tags for each in made] == [{"new"}, {"new"}]


def test_all_events_without_tags_share_one_set() -> None:
    assert Event("Opened", {}).tags is Event("Closed", {}, tags=[]).tags


def test_tags_are_part_of_what_an_event_is() -> None:
    time = Event("x", {}).timestamp

    def made(*tags: str) -> Event[object]:
        return Event("x", {}, event_id=UUID(int=1), timestamp=time, tags=tags)

    plain, tagged = made(), made("b", "a")
    assert plain != tagged
    assert tagged == made("a", "b")
    assert "tags" not in repr(plain)
    assert repr(Event("x", {}, tags={"b", "a"})).endswith("tags={'a', 'b'})")


@pytest.mark.parametrize("tags", [(), ("a", "b")])
def test_events_with_tags_are_pickled_and_copied(tags: tuple[str, ...]) -> None:
    events: list[Event[object]] = [
        Event("x", {}, tags=tags),
        RecordedEvent("x", {}, stream_id="s", version=2, position=3, tags=tags),
    ]
    for made in events:
        for again in (pickle.loads(pickle.dumps(made)), deepcopy(made)):  # noqa: S301 - our own
            assert again == made
            assert again.tags == {*tags}


def test_tags_are_encoded_sorted_and_decoded() -> None:
    codec = EventCodec(event_types=TYPES)
    encoded = codec.encode(Event.of(Enrolled(2, 1), event_types=TYPES))
    assert encoded.tags == ("course:2", "student:1")
    assert codec.encode(Event("other", {})).tags is None
    (found,) = codec.decode([Row("s", 1, 1, *encoded)])
    assert found.tags == {"course:2", "student:1"}
    assert codec.encode(found) == encoded


def test_columns_may_come_without_tags() -> None:
    rows = [Row("s", n, n, "x", b"{}", None, "json", bytes(16), 0) for n in (1, 2)]
    columns = [*zip(*rows, strict=True)]
    for given in (columns, columns[:9], [*columns[:9], None]):
        assert [*Columns(*given)] == rows


def test_a_query_joins_others() -> None:
    query = Query(tags={"a"}) | Query(tags={"b"}, event_types=["x"]) | Query(tags={"a"})
    assert query.parts == ((frozenset({"a"}), None), (frozenset({"b"}), frozenset({"x"})))
    assert query == Query(event_types=["x"], tags=["b"]) | Query(tags={"a"})
    assert hash(query) == hash(Query(event_types=["x"], tags=["b"]) | Query(tags={"a"}))
    assert repr(query) == "Query(tags={'a'}) | Query(tags={'b'}, event_types=['x'])"
    assert repr(Query.all() | Query(event_types=[Enrolled])) == (
        "Query.all() | Query(event_types=[Enrolled])"
    )


def test_a_query_is_joined_with_queries_only() -> None:
    other: Any = {"a"}
    with pytest.raises(TypeError):
        _ = Query(tags={"a"}) | other


def test_a_query_for_nothing_in_particular_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs tags or event_types.*Query.all\(\)"):
        Query()
    with pytest.raises(ValueError, match="needs tags or event_types"):
        Query(tags=[])


@pytest.mark.parametrize(
    ("event_types", "error", "message"),
    [
        ([], ValueError, "names no type"),
        ("Opened", TypeError, "a collection of classes or names, got 'Opened'"),
        ([7], TypeError, "holds classes or names, got 7"),
        ([""], ValueError, "invalid event type"),
        (["x" * 256], ValueError, "invalid event type"),
        (7, TypeError, "a collection"),
    ],
)
def test_bad_types_of_a_query_are_refused(
    event_types: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Query(tags={"a"}, event_types=event_types)


def row(position: int, event_type: str, *tags: str) -> Row:
    return Row("s", position, position, event_type, b"", None, "json", bytes(16), 0, tags or None)


def test_a_row_query_is_met_by_all_that_it_says() -> None:
    items = (QueryItem(frozenset({"a", "b"})), QueryItem(frozenset({"c"}), frozenset({"x"})))
    rows = [row(1, "x", "a", "b"), row(2, "y", "c"), row(3, "x", "b", "c"), row(4, "x", "a")]

    def found(query: RowQuery) -> list[int]:
        return [each.position for each in rows if query.matches(each)]

    assert found(RowQuery(items=items)) == [1, 3]
    assert found(RowQuery(frozenset({"y"}), items=items)) == []
    assert found(RowQuery(stream_prefix="t", items=items)) == []
    assert found(RowQuery(items=())) == []
    assert found(RowQuery(items=(QueryItem(),))) == [1, 2, 3, 4]
    assert RowQuery(items=()).is_filter
    assert not RowQuery().is_filter


def test_an_index_finds_what_matches_in_a_list_that_grows() -> None:
    rows: list[Row] = []
    index = RowIndex(rows)
    queries = [
        (QueryItem(frozenset({"a"})),),
        (QueryItem(frozenset({"a", "b"})), QueryItem(event_types=frozenset({"y"}))),
        (QueryItem(event_types=frozenset({"x", "y"})),),
        (QueryItem(frozenset({"a"}), frozenset()),),
        (QueryItem(),),
        (),
    ]
    for position in range(1, 40):
        tags = [tag for tag, step in (("a", 2), ("b", 3)) if position % step == 0]
        rows.append(row(position, "y" if position % 5 == 0 else "x", *tags))
        for items in queries:
            for after in (0, position // 2, position):
                expected = [
                    each for each in rows[after:] if any(item.matches(each) for item in items)
                ]
                assert index.matching(items, after) == expected
