"""The one place where an append is decided; the contracts show that stores obey it."""

from __future__ import annotations

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import Append, EncodedEvent, Place, Placed, Write, Written

ANY, NO_STREAM, STREAM_EXISTS = ExpectedVersion


def event(number: int) -> EncodedEvent:
    return EncodedEvent("x", b"", None, "json", bytes(15) + bytes([number]), 0)


def write(stream_id: str, expected: int | ExpectedVersion, *ids: int) -> Write:
    return Write(stream_id, tuple(map(event, ids)), expected)


def append(expected: int | ExpectedVersion, *ids: int) -> Append:
    return Append((write("s", expected, *ids),), 0)


def settle(one: Append, version: int, places: dict[bytes, Place]) -> Written | list[Placed]:
    """Decide an append to stream ``s``, which is at a version; 0 if it is not there."""
    return one.settle({"s": version} if version else {}, places)


def at(**versions: int) -> dict[bytes, Place]:
    """Places in stream ``s``, by id: ``at(e1=3)`` is event 1 at version 3, position 30."""
    return {bytes(15) + bytes([int(k[1:])]): Place("s", v, v * 10) for k, v in versions.items()}


@pytest.mark.parametrize(
    ("expected", "version"),
    [(0, 0), (3, 3), (NO_STREAM, 0), (STREAM_EXISTS, 1), (ANY, 0), (ANY, 9)],
)
def test_new_events_are_written_at_the_expected_version(
    expected: int | ExpectedVersion, version: int
) -> None:
    assert settle(append(expected, 1, 2), version, {}) == [
        ("s", version + 1, event(1)),
        ("s", version + 2, event(2)),
    ]


@pytest.mark.parametrize(
    ("expected", "version"), [(0, 1), (3, 2), (3, 4), (3, 0), (NO_STREAM, 1), (STREAM_EXISTS, 0)]
)
def test_another_version_is_a_conflict_with_the_facts(
    expected: int | ExpectedVersion, version: int
) -> None:
    with pytest.raises(ConcurrencyError) as caught:
        settle(append(expected, 1, 2), version, {})
    facts = caught.value
    assert (facts.stream_id, facts.expected, facts.actual) == ("s", expected, version)


@pytest.mark.parametrize("expected", [3, ANY, STREAM_EXISTS])
def test_a_repetition_gives_the_original_result(expected: int | ExpectedVersion) -> None:
    assert settle(append(expected, 1, 2), 9, at(e1=4, e2=5)) == Written((AppendResult(5, 50),), 0)


def test_a_repeated_creation_gives_the_original_result() -> None:
    for expected in (0, NO_STREAM):
        assert settle(append(expected, 1, 2), 9, at(e1=1, e2=2)) == Written(
            (AppendResult(2, 20),), 0
        )


@pytest.mark.parametrize(
    "places",
    [at(e1=4), at(e2=5), at(e1=5, e2=4), at(e1=4, e2=6), at(e1=3, e2=5), at(e1=5, e2=6)],
    ids=repr,
)
def test_own_ids_at_another_place_are_a_conflict(places: dict[bytes, Place]) -> None:
    with pytest.raises(ConcurrencyError):
        settle(append(3, 1, 2), 9, places)


def test_own_ids_in_another_stream_are_a_conflict() -> None:
    places = {key: place._replace(stream_id="t") for key, place in at(e1=4, e2=5).items()}
    with pytest.raises(ConcurrencyError):
        settle(append(3, 1, 2), 9, places)


@pytest.mark.parametrize("expected", [9, ANY, STREAM_EXISTS])
@pytest.mark.parametrize("places", [at(e1=4), at(e2=5), at(e1=5, e2=4)], ids=repr)
def test_an_id_that_is_there_already_is_a_duplicate(
    expected: int | ExpectedVersion, places: dict[bytes, Place]
) -> None:
    with pytest.raises(DuplicateEventError) as caught:
        settle(append(expected, 1, 2), 9, places)
    place = places[caught.value.event_id.bytes]
    assert (caught.value.stream_id, caught.value.version) == (place.stream_id, place.version)


def test_an_id_in_another_stream_is_a_duplicate() -> None:
    places = {key: place._replace(stream_id="t") for key, place in at(e1=4).items()}
    with pytest.raises(DuplicateEventError, match="taken by stream 't', version 4"):
        settle(append(ANY, 1), 9, places)


@pytest.mark.parametrize("expected", [9, ANY])
def test_an_id_twice_in_one_append_is_a_duplicate(expected: int | ExpectedVersion) -> None:
    with pytest.raises(DuplicateEventError, match="taken by stream 's', version 10"):
        settle(append(expected, 1, 1), 9, {})
    with pytest.raises(DuplicateEventError):
        settle(append(expected, 1, 1), 9, at(e1=4))


# Groups.


def group(*writes: Write) -> Append:
    return Append(writes, 0)


def standing(**ids: int) -> dict[bytes, Place]:
    """Places at version 1: ``standing(a=1, b=2)`` has event 1 in ``a``, and 2 in ``b``."""
    return {event(number).event_id: Place(stream, 1, number * 10) for stream, number in ids.items()}


def test_an_append_has_its_streams_for_keys() -> None:
    assert append(0, 1).keys == ("s",)
    assert group(write("a", 0, 1, 2), write("b", 0, 3)).keys == ("a", "b")


def test_an_append_knows_the_ids_of_all_its_events() -> None:
    ids = group(write("a", 0, 1, 2), write("b", 0, 3)).event_ids
    assert ids == [event(number).event_id for number in (1, 2, 3)]


def test_a_group_is_written_in_each_of_its_streams() -> None:
    one = group(write("a", 4, 1, 2), write("b", NO_STREAM, 3), write("c", ANY, 4))
    assert one.settle({"a": 4, "c": 9}, {}) == [
        ("a", 5, event(1)),
        ("a", 6, event(2)),
        ("b", 1, event(3)),
        ("c", 10, event(4)),
    ]


@pytest.mark.parametrize(
    ("versions", "culprit", "expected", "actual"),
    [({"a": 5}, "a", 4, 5), ({"a": 4, "b": 1}, "b", NO_STREAM, 1), ({}, "a", 4, 0)],
)
def test_a_group_is_refused_if_one_of_its_streams_is_not_as_expected(
    versions: dict[str, int], culprit: str, expected: int | ExpectedVersion, actual: int
) -> None:
    with pytest.raises(ConcurrencyError) as caught:
        group(write("a", 4, 1), write("b", NO_STREAM, 2)).settle(versions, {})
    facts = caught.value
    assert (facts.stream_id, facts.expected, facts.actual) == (culprit, expected, actual)


@pytest.mark.parametrize("expected", [0, NO_STREAM, ANY])
def test_a_repeated_group_gives_the_original_results(expected: int | ExpectedVersion) -> None:
    one = group(write("a", expected, 1), write("b", expected, 2))
    results = (AppendResult(1, 10), AppendResult(1, 20))
    assert one.settle({"a": 7, "b": 1}, standing(a=1, b=2)) == Written(results, 0)


@pytest.mark.parametrize(("expected", "error"), [(0, ConcurrencyError), (ANY, DuplicateEventError)])
@pytest.mark.parametrize("there", [{"a": 1}, {"b": 2}])
def test_a_group_of_which_a_part_stands_is_not_a_repetition(
    there: dict[str, int], expected: int | ExpectedVersion, error: type[Exception]
) -> None:
    one = group(write("a", expected, 1), write("b", expected, 2))
    with pytest.raises(error):
        one.settle(dict.fromkeys(there, 1), standing(**there))


def test_a_group_whose_events_stand_in_each_others_streams_is_not_a_repetition() -> None:
    with pytest.raises(DuplicateEventError):
        group(write("a", ANY, 1), write("b", ANY, 2)).settle({"a": 1, "b": 1}, standing(a=2, b=1))


def test_an_id_twice_in_a_group_is_a_duplicate() -> None:
    with pytest.raises(DuplicateEventError, match="taken by stream 'a', version 5"):
        group(write("a", 4, 1), write("b", 0, 1)).settle({"a": 4}, {})


def test_what_a_store_knows_is_not_changed_by_an_append() -> None:
    versions = {"a": 4}
    group(write("a", 4, 1), write("b", 0, 2)).settle(versions, {})
    assert versions == {"a": 4}
