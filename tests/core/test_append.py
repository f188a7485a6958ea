"""The one place where an append is decided; the contracts show that stores obey it."""

from __future__ import annotations

import pytest

from eventsourcing_core import (
    Append,
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    EncodedEvent,
    ExpectedVersion,
    Place,
)

ANY, NO_STREAM, STREAM_EXISTS = ExpectedVersion


def append(expected: int | ExpectedVersion, *ids: int) -> Append:
    events = tuple(EncodedEvent("x", b"", None, "json", bytes(15) + bytes([n]), 0) for n in ids)
    return Append("s", events, expected, 0)


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
    assert append(expected, 1, 2).settle(version, {}) is None


@pytest.mark.parametrize(
    ("expected", "version"), [(0, 1), (3, 2), (3, 4), (3, 0), (NO_STREAM, 1), (STREAM_EXISTS, 0)]
)
def test_another_version_is_a_conflict_with_the_facts(
    expected: int | ExpectedVersion, version: int
) -> None:
    with pytest.raises(ConcurrencyError) as caught:
        append(expected, 1, 2).settle(version, {})
    facts = caught.value
    assert (facts.stream_id, facts.expected, facts.actual) == ("s", expected, version)


@pytest.mark.parametrize("expected", [3, ANY, STREAM_EXISTS])
def test_a_repetition_gives_the_original_result(expected: int | ExpectedVersion) -> None:
    assert append(expected, 1, 2).settle(9, at(e1=4, e2=5)) == AppendResult(5, 50)


def test_a_repeated_creation_gives_the_original_result() -> None:
    for expected in (0, NO_STREAM):
        assert append(expected, 1, 2).settle(9, at(e1=1, e2=2)) == AppendResult(2, 20)


@pytest.mark.parametrize(
    "places",
    [at(e1=4), at(e2=5), at(e1=5, e2=4), at(e1=4, e2=6), at(e1=3, e2=5), at(e1=5, e2=6)],
    ids=repr,
)
def test_own_ids_at_another_place_are_a_conflict(places: dict[bytes, Place]) -> None:
    with pytest.raises(ConcurrencyError):
        append(3, 1, 2).settle(9, places)


def test_own_ids_in_another_stream_are_a_conflict() -> None:
    places = {key: place._replace(stream_id="t") for key, place in at(e1=4, e2=5).items()}
    with pytest.raises(ConcurrencyError):
        append(3, 1, 2).settle(9, places)


@pytest.mark.parametrize("expected", [9, ANY, STREAM_EXISTS])
@pytest.mark.parametrize("places", [at(e1=4), at(e2=5), at(e1=5, e2=4)], ids=repr)
def test_an_id_that_is_there_already_is_a_duplicate(
    expected: int | ExpectedVersion, places: dict[bytes, Place]
) -> None:
    with pytest.raises(DuplicateEventError) as caught:
        append(expected, 1, 2).settle(9, places)
    place = places[caught.value.event_id.bytes]
    assert (caught.value.stream_id, caught.value.version) == (place.stream_id, place.version)


def test_an_id_in_another_stream_is_a_duplicate() -> None:
    places = {key: place._replace(stream_id="t") for key, place in at(e1=4).items()}
    with pytest.raises(DuplicateEventError, match="taken by stream 't', version 4"):
        append(ANY, 1).settle(9, places)


@pytest.mark.parametrize("expected", [9, ANY])
def test_an_id_twice_in_one_append_is_a_duplicate(expected: int | ExpectedVersion) -> None:
    with pytest.raises(DuplicateEventError, match="taken by stream 's', version 10"):
        append(expected, 1, 1).settle(9, {})
    with pytest.raises(DuplicateEventError):
        append(expected, 1, 1).settle(9, at(e1=4))
